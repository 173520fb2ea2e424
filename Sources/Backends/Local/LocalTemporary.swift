import BackupAPI
import Glibc

/// Names of temporaries.
enum LocalTemporary {
    /// A name that nobody else uses: the process for the eye of an operator, and 64 random bits.
    static func newName() -> String {
        "\(ObjectKey.temporaryPrefix)\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    }

    /// Whether a file's name is one of a temporary.
    static func isName(_ name: String) -> Bool { name.utf8.starts(with: ObjectKey.temporaryPrefix.utf8) }
}
