/// Names of metadata in the log.
enum LogKeys {
    static let configuration = "configuration"
    static let error = "error"
    static let place = "place"
    static let settings = "settings"
    static let target = "target"
}
