/// A target's URL in its parts: `scheme://user@host:port/path`. A password in it is refused.
public struct TargetLocation: Sendable, Hashable, CustomStringConvertible {
    /// In lower case.
    public let scheme: String
    /// The part before `@`; empty when there is none.
    public let user: String
    /// The host, or the bucket; without the brackets of an IPv6 address.
    public let host: String
    /// The port, where one is named.
    public let port: Int?
    /// The rest, percent-decoded, beginning with `/` where it is not empty.
    public let path: String

    /// Reads a URL, or an absolute path as `file:` URL.
    /// - Throws: `.misconfigured` with what is wrong.
    public init(_ text: String) throws(StorageError) {
        func fault(_ detail: String) -> StorageError {
            // The text is not repeated where it may hold a password.
            StorageError(
                .misconfigured, operation: .open, target: "", detail: detail,
                remedy: "Write the target as file:///path, s3://bucket/prefix or sftp://user@host:port/path.")
        }
        if text.hasPrefix("/") {
            (scheme, user, host, port, path) = ("file", "", "", nil, text)
            return
        }
        guard let mark = text.firstRange(of: "://") else {
            throw fault("a URL with '://' or an absolute path is needed")
        }
        scheme = text[..<mark.lowerBound].lowercased()
        guard !scheme.isEmpty, scheme.utf8.allSatisfy({ TargetLocation.isSchemeByte($0) }) else {
            throw fault("the scheme is not well formed")
        }
        let rest = text[mark.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        var authority = rest[..<slash]
        guard let decoded = TargetLocation.percentDecoded(rest[slash...]) else {
            throw fault("the path is not well formed")
        }
        path = decoded
        if let at = authority.lastIndex(of: "@") {
            let name = authority[..<at]
            guard !name.contains(":") else { throw fault("a password does not belong in a URL") }
            user = String(name)
            authority = authority[authority.index(after: at)...]
        } else {
            user = ""
        }
        var named: Substring?
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            let behind = authority[authority.index(after: end)...]
            guard behind.isEmpty || behind.hasPrefix(":") else { throw fault("the host is not well formed") }
            named = behind.isEmpty ? nil : behind.dropFirst()
        } else if let colon = authority.lastIndex(of: ":") {
            host = String(authority[..<colon])
            named = authority[authority.index(after: colon)...]
        } else {
            host = String(authority)
        }
        if let named {
            guard let number = Int(named), (1...65_535).contains(number) else {
                throw fault("the port is not a number")
            }
            port = number
        } else {
            port = nil
        }
    }

    public var description: String {
        let name = user.isEmpty ? "" : user + "@"
        let bracketed = host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(name)\(bracketed)\(port.map { ":\($0)" } ?? "")\(path)"
    }

    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2B || byte == 0x2D || byte == 0x2E
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            // A sign is no digit, though `UInt8(_:radix:)` takes one.
            guard let pair = String(rest.prefix(2)), pair.utf8.count == 2, pair.utf8.first != 0x2B,
                let value = UInt8(pair, radix: 16), value != 0
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
