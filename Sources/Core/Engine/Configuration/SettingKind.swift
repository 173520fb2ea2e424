/// What a setting's value may be.
package enum SettingKind: Sendable, Hashable {
    case boolean
    case integer(ClosedRange<Int>)
    case duration
    case size
    case text
    /// Printed as `***`.
    case secret
    case path
    case paths
    case choice([String])
    case names
    case storageEngines
    case compression
    case encryption
    case retention

    /// What is allowed, for messages and the manual; `codecs` are the names that the program was built with.
    package func allowed(compressions: [String], encryptions: [String]) -> String {
        switch self {
        case .boolean: "on or off (also yes/no, true/false, 1/0)"
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .duration: "a time in seconds, or with a unit: 30s, 10m, 1H, 7d, 2w"
        case .size: "a size in bytes, or with a unit of 1024: 512B, 64K, 10MB, 2G, 1TB"
        case .text: "text"
        case .secret: "secret text"
        case .path: "a path; $NAME, ${NAME} and a leading ~/ are replaced"
        case .paths: "paths, separated by commas; $NAME, ${NAME} and a leading ~/ are replaced"
        case .choice(let names): "one of " + names.joined(separator: ", ")
        case .names: "names of targets, separated by commas"
        case .storageEngines: "local, s3, ssh, or several of them separated by commas"
        case .compression:
            "none, \(compressions.joined(separator: ", ")), or one of them after 'client-' or 'server-'"
        case .encryption: (["none"] + encryptions).joined(separator: ", ")
        case .retention: "days, weeks, months, years: 7, -, -, - or 7, 4, 12, 5 ('-' for a part that is not used)"
        }
    }
}

/// A setting's value, read as its kind says.
package enum SettingValue: Sendable, Hashable {
    case boolean(Bool)
    case integer(Int)
    case text(String)
    case list([String])
    case compression(CompressionSettings)
    /// A recorded name; nil is `none`.
    case encryption(String?)
    case retention(RetentionPolicy)

    /// Whether it asks for nothing: `off`, or 0.
    var isOff: Bool { self == .boolean(false) || self == .integer(0) }
}
