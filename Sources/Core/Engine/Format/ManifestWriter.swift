import BackupAPI

/// Writes a `backup_manifest` as PostgreSQL does (documentation, "Backup Manifest Format"), piece by piece.
struct ManifestWriter {
    /// What proves a file.
    enum Checksum {
        case crc32c(UInt32)
        /// Bytes as they are printed, with the name of the algorithm.
        case digest(String, [UInt8])
        case none
    }

    private static let pieceByteCount = 1 << 16
    private let digest: any Digest
    private var text: [UInt8]
    private var separator = "\n"
    private var time = (seconds: Int64.min, text: "")

    /// Begins the text.
    init(majorVersion: Int, systemIdentifier: String, cryptography: any Cryptography) {
        digest = cryptography.makeDigest(.sha256)
        // Version 2 came with PostgreSQL 17, and the system's identifier with it.
        text = Array(
            (majorVersion >= 17
                ? "{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": \(systemIdentifier),\n"
                : "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n").utf8)
        text += "\"Files\": [".utf8
    }

    /// Adds a file. There are as many lines as files: it makes no text of its own where it need not.
    /// - Parameters:
    ///   - root: what stands in front of the path.
    ///   - modifiedAt: in seconds since 1970.
    mutating func add(root: String, path: String, byteCount: Int, modifiedAt: Int64, checksum: Checksum) {
        if modifiedAt != time.seconds { time = (modifiedAt, Self.time(modifiedAt)) }
        text += separator.utf8
        separator = ",\n"
        text += "{ ".utf8
        if path.utf8.allSatisfy({ (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }) {
            text += "\"Path\": \"".utf8
            text += root.utf8
            text += path.utf8
            text += "\"".utf8
        } else {
            text += Self.named(root + path).utf8
        }
        text += ", \"Size\": ".utf8
        text += String(byteCount).utf8
        text += ", \"Last-Modified\": \"".utf8
        text += time.text.utf8
        text += "\"".utf8
        append(checksum)
        text += " }".utf8
    }

    /// The next piece of the text, when there is enough for one.
    mutating func takePiece() -> [UInt8]? {
        guard text.count >= Self.pieceByteCount else { return nil }
        digest.update(unsafe text.span.bytes)
        defer { text.removeAll(keepingCapacity: true) }
        return text
    }

    /// Ends the manifest with the WAL that the backup needs.
    /// - Returns: the last piece.
    mutating func finish(timeline: some CustomStringConvertible, start: String, end: String) -> [UInt8] {
        text +=
            ("\n],\n\"WAL-Ranges\": [\n{ \"Timeline\": \(timeline), \"Start-LSN\": \"\(start)\", "
            + "\"End-LSN\": \"\(end)\" }\n],\n").utf8
        digest.update(unsafe text.span.bytes)
        text += "\"Manifest-Checksum\": \"\(hexadecimal(digest.finish()))\"}\n".utf8
        return text
    }

    private mutating func append(_ checksum: Checksum) {
        switch checksum {
        case .crc32c(let value):
            text += ", \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"".utf8
            // PostgreSQL prints a CRC-32C as the bytes of a little-endian number.
            for shift in [4, 0, 12, 8, 20, 16, 28, 24] as [UInt32] {
                let digit = UInt8(truncatingIfNeeded: value >> shift & 15)
                text.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            }
            text += "\"".utf8
        case .digest(let algorithm, let bytes):
            text += ", \"Checksum-Algorithm\": \"\(algorithm)\", \"Checksum\": \"\(hexadecimal(bytes))\"".utf8
        case .none: break
        }
    }

    /// A path that is not UTF-8 is in hexadecimal. Any other is as JSON wants it; paths have no control characters.
    private static func named(_ path: String) -> String {
        let bytes = PathText.bytes(path)
        // By bytes: to Swift a quote and a combining mark are one character.
        let escaped = bytes.flatMap { $0 == 0x22 || $0 == 0x5C ? [0x5C, $0] : [$0] }
        guard let text = String(validating: escaped, as: UTF8.self) else {
            return "\"Encoded-Path\": \"\(hexadecimal(bytes))\""
        }
        return "\"Path\": \"\(text)\""
    }

    private static func time(_ seconds: Int64) -> String {
        let time = CalendarTime(secondsSince1970: Int(seconds))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(time.year)-\(two(time.month))-\(two(time.day)) \(two(time.hour)):\(two(time.minute)):"
            + "\(two(time.second)) GMT"
    }
}
