/// Metadata of storage calls.
extension LogKeys {
    static let call = "storage.call"
    static let key = "object.key"
    static let error = "error"
    static let attempt = "attempt"
    package static let durationInMilliseconds = "duration.ms"
    static let waitInMilliseconds = "wait.ms"
    package static let readBytes = "read.bytes"
    package static let writtenBytes = "written.bytes"
    /// Calls that were made, whatever each of them took.
    package static let callCount = "calls"
    package static let failedCallCount = "failed.calls"
    package static let retryCount = "retries"
    /// Requests that were sent, those that were sent again too.
    package static let requestCount = "requests"
    package static let requests = "requests.by.kind"
}

extension Duration {
    /// Whole milliseconds, for the log.
    package var wholeMilliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
