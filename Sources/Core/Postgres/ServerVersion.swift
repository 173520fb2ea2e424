/// A server's version, such as 17.10.
package struct ServerVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The version whose backups and catalogs are alike, such as 17.
    package let major: Int
    /// Counts its corrections.
    package let minor: Int

    /// Makes a version.
    package init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Splits `server_version_num`, such as 170010. Versions before 10 are counted by their first number alone.
    package init(number: Int) {
        major = number / 10000
        minor = number % 10000
    }

    /// The oldest major version that backups are taken of.
    package static let oldestSupportedMajor = 14

    /// Whether backups are taken of it.
    package var isSupported: Bool { major >= Self.oldestSupportedMajor }

    /// Whether the server makes incremental backups itself.
    package var hasIncrementalBackup: Bool { major >= 17 }

    package var description: String { "\(major).\(minor)" }

    package static func < (left: ServerVersion, right: ServerVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
