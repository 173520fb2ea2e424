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

    /// All bytes of all files.
    package var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }

    /// The snapshot of one backup by itself: its members as they were sent.
    package init(record: BackupRecord, index: BackupIndex) {
        self.record = record
        for archive in index.archives {
            let root = Root(archive: archive.name)
            var extents: [Extent] = []
            for member in archive.members {
                switch member.kind {
                case .folder: folders.append(Folder(root: root, path: member.path, mode: member.mode))
                case .link: links.append(Link(root: root, path: member.path, target: member.linkTarget))
                case .file:
                    if member.byteCount > 0 {
                        extents.append(
                            Extent(source: member.offset, byteCount: member.byteCount, file: files.count, offset: 0))
                    }
                    files.append(
                        File(
                            root: root, path: member.path, mode: member.mode, modifiedAt: member.modifiedAt,
                            byteCount: member.byteCount, checksum: member.checksum))
                }
            }
            var bare = archive
            bare.members = []
            parts.append(Part(record: record, archive: bare, extents: extents))
        }
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
