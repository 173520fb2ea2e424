package import BackupAPI

/// The users file: one line per user, `name:sealed`, where `sealed` is the base64 of the password sealed under the master key.
///
/// The user's name is authenticated with the password, so that lines cannot be swapped. Lines that begin with `#` are kept.
package struct UsersFile: Sendable, Hashable {
    private enum Line: Sendable, Hashable {
        case comment(String)
        case user(String, sealed: [UInt8])
    }

    private var lines: [Line] = []

    /// An empty file.
    package init() {}

    /// Reads a file.
    /// - Parameter path: for messages.
    package init(_ bytes: [UInt8], path: String) throws(CommandError) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Self.malformed(path, 0) }
        var number = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            if line.isEmpty { continue }
            if line.hasPrefix("#") {
                lines.append(.comment(String(line)))
                continue
            }
            guard let colon = line.lastIndex(of: ":"), let sealed = Base64.decode(line[line.index(after: colon)...]),
                !sealed.isEmpty, !names.contains(String(line[..<colon])), colon > line.startIndex
            else { throw Self.malformed(path, number) }
            lines.append(.user(String(line[..<colon]), sealed: sealed))
        }
    }

    /// In file order.
    package var names: [String] {
        lines.compactMap { if case .user(let name, _) = $0 { name } else { nil } }
    }

    /// The file's bytes.
    package var bytes: [UInt8] {
        let text = lines.map { line in
            switch line {
            case .comment(let text): text
            case .user(let name, let sealed): "\(name):\(Base64.encode(sealed))"
            }
        }
        return Array(text.map { $0 + "\n" }.joined().utf8)
    }

    /// Adds a user or changes its password.
    package mutating func set(
        _ name: String, password: Secret, key: Secret, cryptography: any Cryptography
    ) throws(CodecError) {
        let sealed = try cryptography.seal(password, key: key, associated: Array(name.utf8))
        let line = Line.user(name, sealed: sealed)
        if let index = index(of: name) { lines[index] = line } else { lines.append(line) }
    }

    /// Takes a user out; false when there is none.
    package mutating func remove(_ name: String) -> Bool {
        guard let index = index(of: name) else { return false }
        lines.remove(at: index)
        return true
    }

    /// The password of a user; nil when there is none.
    /// - Throws: `.notAuthentic` when the master key is another one or the line was altered.
    package func password(of name: String, key: Secret, cryptography: any Cryptography) throws(CodecError) -> Secret? {
        for case .user(name, let sealed) in lines {
            return try cryptography.open(sealed, key: key, associated: Array(name.utf8))
        }
        return nil
    }

    private func index(of name: String) -> Int? {
        lines.firstIndex { if case .user(name, _) = $0 { true } else { false } }
    }

    private static func malformed(_ path: String, _ line: Int) -> CommandError {
        CommandError(
            .usersMalformed, "\(path):\(line): the line is not 'name:sealed-password', or the name is there twice",
            remedy: "Take the line out, and add the user again with 'pgmoneta-admin user add'.")
    }
}
