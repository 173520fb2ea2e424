package import WALFormat

/// The file tree that a backup describes, resolved: what a restore would write, and where each byte is stored.
package struct Snapshot: Sendable {
    /// Where a file belongs.
    package enum Root: Sendable, Hashable {
        /// The data directory.
        case data
        /// A tablespace's own folder.
        case tablespace(oid: String)
        /// `pg_wal` in the data directory.
        case wal
    }

    package struct File: Sendable {
        package var root: Root
        package var path: String
        package var mode: UInt32
        package var modifiedAt: Int64
        package var byteCount: Int
        /// CRC-32C of the whole content, where it comes from one member of one backup.
        package var checksum: UInt32?
        /// The header of an incremental file, where the snapshot has it as it was sent.
        package var increment: IncrementalHeader?
        /// The content, where it stands in no archive as it is restored; such a file is small.
        package var literal: [UInt8]?
    }

    package struct Folder: Sendable {
        package var root: Root
        package var path: String
        package var mode: UInt32
    }

    package struct Link: Sendable {
        package var root: Root
        package var path: String
        package var target: String
    }

    /// A run of bytes of a file and where it stands in an archive.
    package struct Extent: Sendable {
        /// Offset in the archive's plain bytes.
        package var source: Int
        package var byteCount: Int
        /// Index into `files`.
        package var file: Int
        /// Offset in the file.
        package var offset: Int
    }

    /// What is needed of one archive of one backup, in the order of the archive.
    package struct Part: Sendable {
        package var record: BackupRecord
        package var archive: BackupIndex.Archive
        package var extents: [Extent]
    }

    package var record: BackupRecord
    package var files: [File] = []
    package var folders: [Folder] = []
    package var links: [Link] = []
    package var parts: [Part] = []
    /// Whether only some of the tree's contents are wanted; then no frame is read that has none of them.
    package var isPartial = false

    /// All bytes of all files.
    package var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }

    /// For each file, how many bytes come in pieces; the others are zero.
    package var comingByteCounts: [Int] {
        var counts = files.map { $0.literal?.count ?? 0 }
        for part in parts {
            for extent in part.extents { counts[extent.file] += extent.byteCount }
        }
        return counts
    }

    /// The snapshot of one backup by itself: its members as they were sent, incremental files too.
    package init(record: BackupRecord, index: BackupIndex) {
        self.record = record
        for archive in index.archives {
            var extents: [Extent] = []
            for member in archive.members {
                guard let file = add(member, of: archive), member.byteCount > 0 else { continue }
                extents.append(Extent(source: member.offset, byteCount: member.byteCount, file: file, offset: 0))
            }
            parts.append(Part(of: record, archive, extents: extents))
        }
    }

    /// A snapshot without anything in it yet.
    init(record: BackupRecord) { self.record = record }

    /// Adds a folder, a link or a file as it was sent.
    /// - Returns: the index of the file; nil for the others.
    @discardableResult
    mutating func add(_ member: Member, of archive: BackupIndex.Archive) -> Int? {
        let root = Root(archive: archive.name)
        switch member.kind {
        case .folder: folders.append(Folder(root: root, path: member.path, mode: member.mode))
        case .link: links.append(Link(root: root, path: member.path, target: member.linkTarget))
        case .file, .incremental:
            files.append(
                File(
                    root: root, path: member.path, mode: member.mode, modifiedAt: member.modifiedAt,
                    byteCount: member.byteCount, checksum: member.checksum, increment: member.increment))
            return files.count - 1
        }
        return nil
    }
}

extension Snapshot.Part {
    /// What is needed of an archive. Its members are let go: a chain has many, and the extents say all that counts.
    init(of record: BackupRecord, _ archive: BackupIndex.Archive, extents: [Snapshot.Extent]) {
        self.record = record
        self.archive = archive
        self.archive.members = []
        self.extents = extents
    }
}

extension Snapshot.Root {
    /// The root that an archive's members stand below.
    package init(archive: String) {
        switch archive {
        case "base": self = .data
        case "pg_wal": self = .wal
        default: self = .tablespace(oid: archive)
        }
    }
}
