/// Metadata of storage calls.
extension LogKeys {
    static let call = "storage.call"
    static let key = "object.key"
    static let error = "error"
    static let attempt = "attempt"
    static let durationInMilliseconds = "duration.ms"
    static let waitInMilliseconds = "wait.ms"
    static let readBytes = "read.bytes"
    static let writtenBytes = "written.bytes"
    static let callCount = "calls"
}

extension Duration {
    /// Whole milliseconds, for the log.
    var wholeMilliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
