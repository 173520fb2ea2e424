import BackupAPI
import Glibc

/// Makes the `backup_manifest` of a tree that several backups make together, as `pg_combinebackup` does: PostgreSQL's own one
/// is of the newest backup alone (documentation, "Backup Manifest Format").
struct CombinedManifest {
    let snapshot: Snapshot
    /// CRC-32C of each file's content.
    let checksums: [UInt32]
    let cryptography: any Cryptography

    private static let pieceByteCount = 1 << 16

    /// Hands out the text piece by piece.
    func write(to consume: ([UInt8]) async throws -> Void) async throws {
        let digest = cryptography.makeDigest(.sha256)
        let record = snapshot.record
        // Version 2 came with PostgreSQL 17, and the system's identifier with it.
        var text = Array(
            (record.majorVersion >= 17
                ? "{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": \(record.systemIdentifier),\n"
                : "{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n").utf8)
        text += "\"Files\": [".utf8
        var separator = "\n"
        var time = (seconds: Int64.min, text: "")
        for (index, file) in snapshot.files.enumerated() where file.root != .wal {
            if file.modifiedAt != time.seconds { time = (file.modifiedAt, Self.time(file.modifiedAt)) }
            text += separator.utf8
            Self.append(file, checksums[index], time.text, to: &text)
            separator = ",\n"
            if text.count >= Self.pieceByteCount {
                digest.update(unsafe text.span.bytes)
                try await consume(text)
                text.removeAll(keepingCapacity: true)
            }
        }
        text +=
            ("\n],\n\"WAL-Ranges\": [\n{ \"Timeline\": \(record.startTimeline), \"Start-LSN\": \"\(record.startLSN)\", "
            + "\"End-LSN\": \"\(record.endLSN)\" }\n],\n").utf8
        digest.update(unsafe text.span.bytes)
        text += "\"Manifest-Checksum\": \"\(hexadecimal(digest.finish()))\"}\n".utf8
        try await consume(text)
    }

    /// Appends the line of a file. There are as many as files: it makes no text of its own where it need not.
    private static func append(_ file: Snapshot.File, _ checksum: UInt32, _ time: String, to text: inout [UInt8]) {
        var root = ""
        if case .tablespace(let oid) = file.root { root = "pg_tblspc/\(oid)/" }
        text += "{ ".utf8
        if file.path.utf8.allSatisfy({ (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }) {
            text += "\"Path\": \"".utf8
            text += root.utf8
            text += file.path.utf8
            text += "\"".utf8
        } else {
            text += named(root + file.path).utf8
        }
        text += ", \"Size\": ".utf8
        text += String(file.byteCount).utf8
        text += ", \"Last-Modified\": \"".utf8
        text += time.utf8
        text += "\", \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"".utf8
        // PostgreSQL prints a CRC-32C as the bytes of a little-endian number.
        for shift in [4, 0, 12, 8, 20, 16, 28, 24] as [UInt32] {
            let digit = UInt8(truncatingIfNeeded: checksum >> shift & 15)
            text.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
        text += "\" }".utf8
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

extension BackupChain {
    /// Whether PostgreSQL's manifest is of the whole tree.
    var hasOwnManifest: Bool { members.count == 1 }

    /// Hands out the manifest of the tree piece by piece: PostgreSQL's own one, or for several backups the one of the whole.
    /// What was stored is proven when the call returns.
    /// - Parameter checksums: CRC-32C of each file of the snapshot.
    func manifest(
        of snapshot: Snapshot, checksums: [UInt32], _ cryptography: any Cryptography,
        to consume: (RawSpan) async throws -> Void
    ) async throws {
        if hasOwnManifest { return try await newest.manifest(to: consume) }
        try await CombinedManifest(snapshot: snapshot, checksums: checksums, cryptography: cryptography).write {
            // Sound: the span does not outlive the call.
            try await consume(unsafe $0.span.bytes)
        }
    }
}
