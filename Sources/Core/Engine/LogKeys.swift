/// Names of metadata in the log.
enum LogKeys {
    static let label = "backup.label"
    static let target = "target"
    static let count = "count"
}
