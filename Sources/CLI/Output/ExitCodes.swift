package import BackupAPI
import BackupEngine

/// What a program tells its caller. 0 means done and durable on every target that was asked for.
package enum ExitCode: Int32, Sendable, Hashable, CaseIterable {
    /// Done.
    case done = 0
    /// Failed; it fails again until somebody changes something.
    case failed = 1
    /// Wrong usage or configuration; nothing was begun.
    case usage = 2
    /// Verification found damage.
    case damage = 3
    /// Failed, and may succeed later: busy, network.
    case later = 4
    /// Done on some targets only.
    case partial = 5
    /// `wal-fetch` had a fault: PostgreSQL, which takes up to 125 for the end of the archive, must stop.
    case stop = 255
}

extension ExitCode {
    /// The code for an error that ended a command.
    package init(for error: any Remediable) {
        switch error {
        case is ConfigurationError, is UsageError: self = .usage
        case let command as CommandError where [.unknownServer, .unknownSetting].contains(command.kind): self = .usage
        case let storage as StorageError where storage.reason == .misconfigured: self = .usage
        case let codec as CodecError where codec.reason == .misconfigured: self = .usage
        default: self = error.retry == .never ? .failed : .later
        }
    }
}
