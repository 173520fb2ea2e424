package import BackupAPI
import WALFormat

/// A backup and the backups that it builds on, newest first, opened from one target and checked against each other.
package struct BackupChain: Sendable {
    /// The backup itself, then its parents up to a full one.
    package let members: [BackupReader]

    /// Opens a backup with all of its parents.
    /// - Throws: `.parentMissing` when one is not on this target; `.chainBroken` when one is not the backup that the younger
    ///   was built on; `.recordDamaged`; `.masterKeyMissing`.
    package static func open(
        catalog: Catalog, label: BackupLabel, codecs: CodecRegistry, cryptography: any Cryptography, workers: Int
    ) async throws -> BackupChain {
        func reader(_ label: BackupLabel) async throws -> BackupReader {
            try await BackupReader(
                catalog: catalog, label: label, codecs: codecs, cryptography: cryptography, workers: workers)
        }
        var members = [try await reader(label)]
        while let child = members.last?.record, let parent = try child.requiredParent() {
            guard try await catalog.hasRecord(parent) else {
                throw EngineError(
                    .parentMissing,
                    "\(child.label) builds on \(parent), which is not at \(catalog.repository.backend.displayName)")
            }
            let next = try await reader(parent)
            try child.requireBuilt(on: next.record)
            members.append(next)
        }
        return BackupChain(members: members)
    }

    private init(members: [BackupReader]) { self.members = members }

    /// The backup that was asked for.
    package var newest: BackupReader { members[0] }

    /// How many indexes are read at once, and are in memory: to read one is work for a processor, and a chain may be long.
    private static let indexesAtOnce = 2

    /// The file tree of the backup that was asked for. Each index is proven.
    /// - Throws: `.chainBroken`, or damage that was found.
    package func snapshot() async throws -> Snapshot {
        var builder: SnapshotBuilder?
        for start in stride(from: 0, to: members.count, by: Self.indexesAtOnce) {
            let some = Array(members[start..<min(start + Self.indexesAtOnce, members.count)])
            let indexes = try await some.map(atOnce: Self.indexesAtOnce) { try await Self.provenIndex($0) }
            for (member, index) in zip(some, indexes) {
                if builder == nil {
                    builder = SnapshotBuilder(newest: member.record, index: index)
                } else {
                    try builder?.add(parent: member.record, index: index)
                }
            }
        }
        guard var snapshot = try builder?.finish() else { throw CancellationError() }
        if members.count > 1 { try await writeLabel(into: &snapshot) }
        return snapshot
    }

    private static func provenIndex(_ reader: BackupReader) async throws -> BackupIndex {
        let index = try await reader.index()
        try await reader.requireChecksumList(index)
        return index
    }

    /// Puts a `backup_label` into the tree that does not name the parent: PostgreSQL does not start on one that does, as on a
    /// tree that was not put together (documentation, "pg_combinebackup").
    private func writeLabel(into snapshot: inout Snapshot) async throws {
        let path = "backup_label"
        guard let file = snapshot.files.firstIndex(where: { $0.root == .data && $0.path == path }) else {
            throw EngineError(.chainBroken, "\(newest.record.label) has no '\(path)'")
        }
        snapshot.setLiteral(Self.withoutParent(try await content(ofFile: file, in: snapshot)), ofFile: file)
    }

    /// The content of a small file that stands in one piece.
    func content(ofFile file: Int, in snapshot: Snapshot) async throws -> [UInt8] {
        if let literal = snapshot.files[file].literal { return literal }
        guard snapshot.files[file].byteCount > 0 else { return [] }
        guard let part = snapshot.parts.first(where: { part in part.extents.contains { $0.file == file } }),
            let extent = part.extents.first(where: { $0.file == file }),
            extent.byteCount == snapshot.files[file].byteCount
        else {
            throw EngineError(.chainBroken, "'\(snapshot.files[file].path)' of \(newest.record.label) is not whole")
        }
        let plan = try ArchivePlan(record: part.record, archive: part.archive)
        return try await newest.frames.bytes(extent.source..<extent.source + extent.byteCount, of: plan)
    }

    private static func withoutParent(_ label: [UInt8]) -> [UInt8] {
        Array(
            label.split(separator: 0x0A, omittingEmptySubsequences: false)
                .filter { !$0.starts(with: "INCREMENTAL FROM ".utf8) }.joined(separator: [0x0A]))
    }
}

extension BackupRecord {
    /// The label of the backup that this one builds on; nil for a full one.
    /// - Throws: `.chainBroken` when the record contradicts itself.
    package func requiredParent() throws(EngineError) -> BackupLabel? {
        switch (type, parent) {
        case (.full, nil): return nil
        case (.incremental, let parent?) where parent < label: return parent
        default: throw EngineError(.chainBroken, "the record of \(label) does not say rightly what it builds on")
        }
    }

    /// Checks that a backup is the one that this one was built on.
    /// - Throws: `.chainBroken`.
    package func requireBuilt(on record: BackupRecord) throws(EngineError) {
        guard parent == record.label, parentID == record.id, systemIdentifier == record.systemIdentifier else {
            throw EngineError(
                .chainBroken, "\(label) was built on another backup of the label \(record.label) than the one here")
        }
    }
}

extension Snapshot {
    /// Replaces a file's content.
    mutating func setLiteral(_ bytes: [UInt8], ofFile index: Int) {
        files[index].literal = bytes
        files[index].byteCount = bytes.count
        files[index].checksum = nil
        for part in parts.indices { parts[part].extents.removeAll { $0.file == index } }
    }
}
