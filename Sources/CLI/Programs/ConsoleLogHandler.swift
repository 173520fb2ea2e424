package import Logging

/// Writes log lines as `level: message key=value …` to the console's errors.
package struct ConsoleLogHandler: LogHandler {
    private let write: @Sendable (String) -> Void
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]

    /// Makes a handler.
    package init(write: @escaping @Sendable (String) -> Void, logLevel: Logger.Level) {
        self.write = write
        self.logLevel = logLevel
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let fields = all.sorted { $0.key < $1.key }.map { " \($0.key)=\(LayoutQuoting.quoted("\($0.value)"))" }
        write("\(event.level): \(event.message)\(fields.joined())\n")
    }
}
