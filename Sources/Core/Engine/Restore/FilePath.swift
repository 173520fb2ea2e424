import Glibc

/// A path for system calls: a folder that somebody named, and below it names that may be any bytes.
///
/// It is not a `String`, which cannot hold all names, so that none gets to a system call without being turned back.
struct FilePath: Sendable, Hashable, CustomStringConvertible {
    /// The bytes, with a zero behind them.
    let characters: [CChar]

    /// The path of a folder that the user or a record names.
    init(_ folder: String) { characters = folder.utf8CString.map { $0 } }

    private init(bytes: [CChar]) { characters = bytes + [0] }

    /// Something below this folder.
    /// - Parameter path: as `PathText` writes it.
    func appending(_ path: String) -> FilePath {
        FilePath(bytes: characters.dropLast() + [0x2F] + PathText.bytes(path).map { CChar(bitPattern: $0) })
    }

    /// Something beside this file, with a longer name.
    func extended(by suffix: String) -> FilePath {
        FilePath(bytes: characters.dropLast() + suffix.utf8.map { CChar(bitPattern: $0) })
    }

    /// For people.
    var description: String {
        PathText.shown(PathText.text(characters.dropLast().map { UInt8(bitPattern: $0) }))
    }
}
