/// Names of metadata in the log.
enum LogKeys {
    static let configuration = "configuration"
    static let place = "place"
    static let settings = "settings"
}
