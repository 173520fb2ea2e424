import BackupEngine

extension LogKeys {
    static let configuration = "configuration"
    static let error = "error"
    static let place = "place"
    static let settings = "settings"
}
