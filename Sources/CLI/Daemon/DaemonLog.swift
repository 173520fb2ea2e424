import BackupCLI
import BackupEngine
import Glibc
import Logging

/// The daemon's log, as the configuration says: lines of a console, of a file, or for syslog.
enum DaemonLog {
    /// Makes the logger.
    /// - Throws: when the file cannot be written.
    static func logger(_ settings: LogSettings, console: Console) throws -> Logger {
        let write: @Sendable (String) -> Void
        switch settings.destination {
        case .console: write = { console.errors(prefix(settings.linePrefix) + $0) }
        case .file:
            let path = settings.path ?? ""
            guard append("", to: path) else {
                throw CommandError(
                    .fileFailed, "the log '\(path)' cannot be written (\(unsafe String(cString: strerror(errno))))",
                    remedy: "Set 'log_path' to a file that the daemon may write.")
            }
            write = { line in
                let line = prefix(settings.linePrefix) + line
                if !append(line, to: path) { console.errors(line) }
            }
        case .syslog:
            openlog(nil, LOG_PID, LOG_DAEMON)
            write = { toSyslog($0) }
        }
        return Logger(label: "pgmoneta") { _ in ConsoleLogHandler(write: write, logLevel: settings.level) }
    }

    private static func prefix(_ format: String) -> String {
        guard !format.isEmpty else { return "" }
        var now = time(nil)
        var parts = unsafe tm()
        var text = [CChar](repeating: 0, count: 256)
        _ = unsafe localtime_r(&now, &parts)
        let count = unsafe strftime(&text, text.count, format, &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) + " "
    }

    /// The file is opened for each line, so that it can be rotated by renaming.
    private static func append(_ line: String, to path: String) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let bytes = Array(line.utf8)
        // Sound: the bytes live for the call.
        return unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) } == bytes.count
    }

    private static func toSyslog(_ line: String) {
        let priority =
            line.hasPrefix("error") || line.hasPrefix("critical")
            ? LOG_ERR : line.hasPrefix("warning") ? LOG_WARNING : LOG_INFO
        // Sound: the format takes one string, which lives for the call.
        unsafe line.withCString { text in unsafe withVaList([text]) { unsafe vsyslog(priority, "%s", $0) } }
    }
}
