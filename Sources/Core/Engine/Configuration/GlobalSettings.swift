package import Logging

/// Where and how much the daemon logs.
package struct LogSettings: Sendable, Hashable {
    /// Where the lines go.
    package enum Destination: String, Sendable, Hashable, CaseIterable {
        case console, file, syslog
    }

    /// Where the lines go.
    package var destination: Destination
    /// The least level that is written.
    package var level: Logger.Level
    /// The file, for `file`.
    package var path: String?
    /// `strftime` text before each line.
    package var linePrefix: String
}

/// What `[pgmoneta]` says about the program itself; what it says about servers is in each `ServerSettings`.
package struct GlobalSettings: Sendable, Hashable {
    /// The address the daemon listens on.
    package var host: String
    /// The directory of the daemon's socket.
    package var unixSocketDirectory: String?
    /// The port of `/metrics`; 0 is off.
    package var metricsPort: Int
    /// The port of remote management; 0 is off.
    package var managementPort: Int
    /// The daemon's log.
    package var log: LogSettings
    /// The file with the daemon's process id.
    package var pidFile: String?
    /// The directory of the target `local`.
    package var baseDirectory: String?
    /// Scratch space for work that needs files.
    package var workspace: String
    /// Seconds between two checks of each backup; 0 is never.
    package var verificationIntervalInSeconds: Int
    /// Most bytes per second that such a check reads; 0 is no limit.
    package var verificationBytesPerSecond: Int
    /// Seconds between two applications of the policies; 0 is never.
    package var retentionIntervalInSeconds: Int
    /// Where received WAL waits; nil is below the user's home.
    package var spool: String?
    /// Most bytes of one server's WAL that wait; 0 is no limit.
    package var spoolByteLimit: Int
    /// Threads for codecs and transfers; 0 is one per processor, 8 at most.
    package var workers: Int
    /// The default for files outside a server's backups.
    package var compression: CompressionSettings
    /// The default for files outside a server's backups; nil is none.
    package var encryption: String?
}
