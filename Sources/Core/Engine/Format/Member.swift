package import WALFormat

/// One entry of an archive: a file, a folder, a symbolic link, or the changed blocks of a relation file.
package struct Member: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable {
        case file = 0
        case folder = 1
        case link = 2
        /// A file `INCREMENTAL.*`, which makes a relation file only together with the backup's parents.
        case incremental = 3
    }

    package var kind: Kind
    /// Below the archive's root: the data directory, the tablespace's folder, or `pg_wal`. As `PathText` writes it.
    package var path: String
    /// Permission bits.
    package var mode: UInt32
    /// Seconds since 1970.
    package var modifiedAt: Int64
    /// Bytes of content.
    package var byteCount: Int
    /// Offset of the content in the archive's plain bytes.
    package var offset: Int
    /// CRC-32C of the content.
    package var checksum: UInt32
    /// Where a link points; empty otherwise.
    package var linkTarget: String
    /// What stands at the front of an incremental file; nil for all others.
    package var increment: IncrementalHeader?

    package init(
        kind: Kind, path: String, mode: UInt32, modifiedAt: Int64, byteCount: Int, offset: Int, checksum: UInt32 = 0,
        linkTarget: String = ""
    ) {
        self.kind = kind
        self.path = path
        self.mode = mode
        self.modifiedAt = modifiedAt
        self.byteCount = byteCount
        self.offset = offset
        self.checksum = checksum
        self.linkTarget = linkTarget
    }

    /// Whether it has content of its own.
    package var isContent: Bool { kind == .file || kind == .incremental }

    /// Where a restore puts it: the path, for an incremental file with the name of the relation file.
    package var restoredPath: String {
        guard kind == .incremental else { return path }
        let name = path.utf8[nameStart...].dropFirst(IncrementalHeader.namePrefix.utf8.count)
        return String(path[..<nameStart]) + String(Substring(name))
    }

    /// Bytes of the file that a restore makes of it.
    package var restoredByteCount: Int { increment?.restoredByteCount ?? byteCount }

    /// Whether the path is that of an incremental file.
    package var isNamedIncremental: Bool {
        path.utf8[nameStart...].starts(with: IncrementalHeader.namePrefix.utf8)
    }

    /// Where the last part of the path begins.
    private var nameStart: String.Index {
        path.utf8.lastIndex(of: 0x2F).map { path.utf8.index(after: $0) } ?? path.startIndex
    }

    /// Whether its path, and the one that a restore gives it, stay below the archive's root: relative, without empty, `.` or `..`
    /// parts or control characters.
    package var hasSafePath: Bool {
        Self.isSafe(path) && (kind != .incremental || Self.isSafe(restoredPath))
    }

    private static func isSafe(_ path: String) -> Bool {
        guard path.utf8.count <= 4096 else { return false }
        // By bytes, as the file system splits it: to Swift a slash and a combining mark are one character.
        var partByteCount = 0
        var dotCount = 0
        func isGoodPart() -> Bool { partByteCount > 0 && (partByteCount > 2 || dotCount < partByteCount) }
        for byte in path.utf8 {
            guard byte >= 0x20 else { return false }
            if byte == 0x2F {
                guard isGoodPart() else { return false }
                partByteCount = 0
                dotCount = 0
            } else {
                partByteCount += 1
                dotCount += byte == 0x2E ? 1 : 0
            }
        }
        return isGoodPart()
    }
}
