import BackupAPI
import Glibc

/// Makes the `backup_manifest` of a tree that several backups make together, as `pg_combinebackup` does: PostgreSQL's own one
/// is of the newest backup alone (documentation, "Backup Manifest Format").
struct CombinedManifest {
    let snapshot: Snapshot
    /// CRC-32C of each file's content.
    let checksums: [UInt32]
    let cryptography: any Cryptography

    /// Hands out the text piece by piece.
    func write(to consume: ([UInt8]) async throws -> Void) async throws {
        let digest = cryptography.makeDigest(.sha256)
        func put(_ text: String) async throws {
            let bytes = Array(text.utf8)
            digest.update(unsafe bytes.span.bytes)
            try await consume(bytes)
        }
        let record = snapshot.record
        // Version 2 came with PostgreSQL 17, and the system's identifier with it.
        if record.majorVersion >= 17 {
            try await put(
                "{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": \(record.systemIdentifier),\n")
        } else {
            try await put("{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n")
        }
        try await put("\"Files\": [")
        var separator = "\n"
        for (index, file) in snapshot.files.enumerated() where file.root != .wal {
            try await put(separator + line(file, checksum: checksums[index]))
            separator = ",\n"
        }
        try await put(
            "\n],\n\"WAL-Ranges\": [\n{ \"Timeline\": \(record.startTimeline), \"Start-LSN\": \"\(record.startLSN)\", "
                + "\"End-LSN\": \"\(record.endLSN)\" }\n],\n")
        let sum = hexadecimal(digest.finish())
        try await consume(Array("\"Manifest-Checksum\": \"\(sum)\"}\n".utf8))
    }

    private func line(_ file: Snapshot.File, checksum: UInt32) -> String {
        // PostgreSQL prints a CRC-32C as the bytes of a little-endian number.
        let printed = hexadecimal((0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) })
        return "{ \(Self.named(path(file))), \"Size\": \(file.byteCount), "
            + "\"Last-Modified\": \"\(Self.time(file.modifiedAt))\", "
            + "\"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"\(printed)\" }"
    }

    private func path(_ file: Snapshot.File) -> String {
        if case .tablespace(let oid) = file.root { return "pg_tblspc/\(oid)/\(file.path)" }
        return file.path
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
