/// Names of metadata in the log.
package enum LogKeys {
    /// What a command does, such as `backup`.
    package static let operation = "operation"
    /// The server or the target that an operation is about.
    package static let subject = "subject"
    /// Bytes that an operation has worked through, as its progress counts them.
    package static let doneBytes = "done.bytes"
    package static let label = "backup.label"
    package static let target = "target"
    static let count = "count"
    static let server = "server"
    static let position = "wal.position"
    static let timeline = "wal.timeline"
    static let waitingBytes = "waiting.bytes"
    static let file = "file"
}
