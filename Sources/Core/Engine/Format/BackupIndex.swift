import CEngine
import WALFormat

/// What a backup's archives hold and where: members → plain offsets → frames → volumes (docs/FORMAT.md, "backup.index").
package struct BackupIndex: Sendable {
    package struct Archive: Sendable {
        /// `base`, a tablespace's OID, or `pg_wal`.
        package var name: String
        /// Where a tablespace stood on the server; empty for the others.
        package var location: String
        package var plainByteCount: Int
        /// Bytes of the codec header at the start of each volume.
        package var headerByteCount: Int
        package var volumes: [StoredObject]
        package var frames: [StoredFrame]
        package var members: [Member]
    }

    package var archives: [Archive]

    package init(archives: [Archive]) { self.archives = archives }

    private static let magic = Array("PGMINDEX".utf8)
    private static let version: UInt32 = 1
    /// No size is as large, nor any sum of sizes.
    private static let byteCountLimit = 1 << 60

    /// The bytes of `backup.index` before encoding.
    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(raw: BackupIndex.magic)
        writer.append(BackupIndex.version)
        writer.append(UInt32(archives.count))
        for archive in archives {
            writer.append(text: archive.name)
            writer.append(text: archive.location)
            writer.append(UInt64(archive.plainByteCount))
            writer.append(UInt32(archive.headerByteCount))
            writer.append(UInt32(archive.volumes.count))
            for volume in archive.volumes {
                writer.append(text: volume.path)
                writer.append(UInt64(volume.bytes))
                writer.append(text: volume.sha512)
            }
            writer.append(UInt32(archive.frames.count))
            for frame in archive.frames {
                writer.append(frame.byteCount)
                writer.append(frame.checksum)
            }
            writer.append(UInt32(archive.members.count))
            for member in archive.members { BackupIndex.append(member, to: &writer) }
        }
        let checksum = unsafe writer.bytes.withUnsafeBytes { unsafe pgm_crc32c(0, $0.baseAddress, $0.count) }
        writer.append(checksum)
        return writer.bytes
    }

    /// Reads what `encoded` made.
    /// - Throws: `EngineError` with `.indexDamaged`.
    package init(decoding bytes: [UInt8]) throws(EngineError) {
        let sum = unsafe bytes.withUnsafeBytes { unsafe pgm_crc32c(0, $0.baseAddress, max(0, $0.count - 4)) }
        do {
            var tail = ByteReader(Array(bytes.suffix(4)))
            guard try tail.number(UInt32.self) == sum else { throw EngineError(.indexDamaged, "its checksum is wrong") }
            var reader = ByteReader(bytes)
            guard try reader.raw(8) == BackupIndex.magic, try reader.number(UInt32.self) == BackupIndex.version else {
                throw EngineError(.indexDamaged, "it is not an index of version 1")
            }
            archives = []
            for _ in 0..<(try reader.count(minimumByteCount: 24)) { archives.append(try BackupIndex.archive(&reader)) }
            guard reader.remaining == 4 else { throw EngineError(.indexDamaged, "bytes follow its end") }
            try requireBounded()
            try requireTree()
        } catch let error as EngineError {
            throw error
        } catch {
            throw EngineError(.indexDamaged, "it ends too early")
        }
    }

    /// Checks that sums of sizes can be computed, and that members stand one behind the other: no byte of an archive is in two files, so
    /// that a small index does not describe more than is stored.
    private func requireBounded() throws(EngineError) {
        var total = 0
        for archive in archives {
            total += archive.plainByteCount
            guard total < Self.byteCountLimit else { throw EngineError(.indexDamaged, "its archives are too large") }
            var end = 0
            for member in archive.members where member.byteCount > 0 {
                guard member.offset >= end else {
                    throw EngineError(.indexDamaged, "the member '\(member.path)' does not follow the one before it")
                }
                end = member.offset + member.byteCount
            }
        }
    }

    /// Checks that a restore of it stays in the folders that it is given: the only links are those to tablespaces, nothing is written
    /// through one, and a tablespace has nothing but PostgreSQL's own folder in it (documentation, "Tablespaces").
    private func requireTree() throws(EngineError) {
        guard Set(archives.map(\.name)).count == archives.count else {
            throw EngineError(.indexDamaged, "two archives have one name")
        }
        var linked: Set<Substring> = []
        for archive in archives {
            for member in archive.members where member.kind == .link {
                let parts = member.path.split(separator: "/")
                guard archive.name == "base", parts.count == 2, parts[0] == "pg_tblspc", UInt32(parts[1]) != nil else {
                    throw EngineError(.indexDamaged, "the link '\(member.path)' is not a tablespace's")
                }
                linked.insert(parts[1])
            }
        }
        for archive in archives {
            let root = Snapshot.Root(archive: archive.name)
            for member in archive.members where member.kind != .link {
                let isInPlace =
                    switch root {
                    case .data: !Self.passes(linked, member.path)
                    case .wal: true
                    case .tablespace: member.path.utf8.starts(with: "PG_".utf8)
                    }
                guard isInPlace else {
                    throw EngineError(.indexDamaged, "the member '\(member.path)' of '\(archive.name)' is out of place")
                }
            }
        }
    }

    /// Whether a path below the data directory is a link to a tablespace, or leads through it.
    private static func passes(_ links: Set<Substring>, _ path: String) -> Bool {
        let folder = "pg_tblspc/"
        guard path.utf8.starts(with: folder.utf8) else { return false }
        return links.contains(Substring(path.utf8.dropFirst(folder.utf8.count).prefix { $0 != 0x2F }))
    }

    private static func append(_ member: Member, to writer: inout ByteWriter) {
        writer.append(member.kind.rawValue)
        writer.append(member.mode)
        writer.append(member.modifiedAt)
        writer.append(UInt64(member.byteCount))
        writer.append(UInt64(member.offset))
        writer.append(member.checksum)
        writer.append(text: member.path)
        writer.append(text: member.linkTarget)
        guard let increment = member.increment else { return }
        writer.append(increment.truncationBlockCount)
        writer.append(UInt32(increment.runs.count))
        for run in increment.runs {
            writer.append(run.first)
            writer.append(run.count)
        }
    }

    private static func archive(_ reader: inout ByteReader) throws -> Archive {
        var archive = Archive(
            name: try reader.text(), location: try reader.text(), plainByteCount: try byteCount(&reader),
            headerByteCount: Int(try reader.number(UInt32.self)), volumes: [], frames: [], members: [])
        for _ in 0..<(try reader.count(minimumByteCount: 12)) {
            let path = try reader.text()
            archive.volumes.append(StoredObject(path: path, bytes: try byteCount(&reader), sha512: try reader.text()))
        }
        let frameCount = try reader.count(minimumByteCount: 8)
        archive.frames.reserveCapacity(frameCount)
        for _ in 0..<frameCount {
            archive.frames.append(StoredFrame(byteCount: try reader.number(), checksum: try reader.number()))
        }
        let memberCount = try reader.count(minimumByteCount: 37)
        archive.members.reserveCapacity(memberCount)
        for _ in 0..<memberCount {
            guard let kind = Member.Kind(rawValue: try reader.number(UInt8.self)) else {
                throw EngineError(.indexDamaged, "a member is of no known kind")
            }
            let member = Member(
                kind: kind, path: "", mode: try reader.number(), modifiedAt: try reader.number(),
                byteCount: try byteCount(&reader), offset: try byteCount(&reader), checksum: try reader.number())
            var named = member
            named.path = try reader.text()
            named.linkTarget = try reader.text()
            if kind == .incremental { named.increment = try increment(&reader, of: named) }
            guard named.hasSafePath, named.offset <= archive.plainByteCount - named.byteCount else {
                throw EngineError(.indexDamaged, "the member '\(named.path)' is out of place")
            }
            archive.members.append(named)
        }
        return archive
    }

    private static func increment(_ reader: inout ByteReader, of member: Member) throws -> IncrementalHeader {
        let truncation = try reader.number(UInt32.self)
        var runs: [BlockRun] = []
        for _ in 0..<(try reader.count(minimumByteCount: 8)) {
            runs.append(BlockRun(first: try reader.number(), count: try reader.number()))
        }
        guard member.isNamedIncremental,
            let header = IncrementalHeader(truncationBlockCount: truncation, runs: runs),
            header.fileByteCount == member.byteCount
        else { throw EngineError(.indexDamaged, "the blocks of '\(member.path)' do not fit its size") }
        return header
    }

    private static func byteCount(_ reader: inout ByteReader) throws -> Int {
        let number = try reader.number(UInt64.self)
        guard number < byteCountLimit else { throw EngineError(.indexDamaged, "a size is out of range") }
        return Int(number)
    }
}
