import WALFormat

/// Resolves a chain: takes its newest backup, then each parent in turn, and finds for every block of every file the newest
/// backup that has it. It keeps no index, however long the chain is.
///
/// A block comes from the newest incremental file that has it; where none has it, from the full file, but never beyond the
/// length that a newer incremental file says the relation was cut to. What then is nowhere is zero: PostgreSQL extends
/// relations without a word in the WAL (documentation, "pg_combinebackup").
package struct SnapshotBuilder {
    /// A relation file whose blocks are not all found.
    fileprivate struct Open {
        /// Index into the snapshot's files.
        var file: Int
        /// Where the file's name stands in the parents: the same root and path.
        var missing: [Range<UInt32>]
    }

    private struct Place: Hashable {
        var archive: String
        var path: String
    }

    private var snapshot: Snapshot
    private var open: [Place: Open] = [:]
    /// The backup that was added last.
    private var last: BackupRecord

    /// Begins with the backup that is wanted.
    package init(newest record: BackupRecord, index: BackupIndex) {
        snapshot = Snapshot(record: record)
        last = record
        for archive in index.archives {
            var extents: [Snapshot.Extent] = []
            for member in archive.members {
                guard let file = snapshot.add(member, of: archive) else { continue }
                guard let increment = member.increment else {
                    if member.byteCount > 0 {
                        extents.append(
                            .init(source: member.offset, byteCount: member.byteCount, file: file, offset: 0))
                    }
                    continue
                }
                snapshot.files[file].path = member.restoredPath
                snapshot.files[file].byteCount = increment.restoredByteCount
                snapshot.files[file].checksum = nil
                snapshot.files[file].increment = nil
                var wanted = Open(file: file, missing: [0..<increment.restoredBlockCount])
                wanted.take(increment, of: member, into: &extents)
                if !wanted.missing.isEmpty {
                    open[Place(archive: archive.name, path: member.restoredPath)] = wanted
                }
            }
            snapshot.parts.append(.init(of: record, archive, extents: extents))
        }
    }

    /// Adds the parent of the backup that was added last.
    /// - Throws: `.chainBroken` when a file needs the parent and is not in it.
    package mutating func add(parent record: BackupRecord, index: BackupIndex) throws(EngineError) {
        var next: [Place: Open] = [:]
        var found = 0
        for archive in index.archives {
            var extents: [Snapshot.Extent] = []
            for member in archive.members where member.isContent {
                let place = Place(archive: archive.name, path: member.restoredPath)
                guard var wanted = open[place] else { continue }
                found += 1
                if let increment = member.increment {
                    wanted.take(increment, of: member, into: &extents)
                    if !wanted.missing.isEmpty { next[place] = wanted }
                } else {
                    wanted.take(member, into: &extents)
                }
            }
            if !extents.isEmpty {
                snapshot.parts.append(.init(of: record, archive, extents: extents))
            }
        }
        guard found == open.count else {
            let names = Set(
                index.archives.flatMap { archive in
                    archive.members.filter(\.isContent).map { Place(archive: archive.name, path: $0.restoredPath) }
                })
            let lost = open.keys.filter { !names.contains($0) }.map(\.path).min() ?? ""
            throw EngineError(
                .chainBroken, "'\(lost)' of \(last.label) builds on \(record.label), which does not have it")
        }
        open = next
        last = record
    }

    /// The whole tree.
    /// - Throws: `.chainBroken` when blocks are still missing: the oldest backup was not a full one.
    package func finish() throws(EngineError) -> Snapshot {
        guard open.isEmpty else {
            let path = open.keys.map(\.path).min() ?? ""
            throw EngineError(.chainBroken, "'\(path)' of \(last.label) is incremental, and there is no older backup")
        }
        return snapshot
    }
}

extension SnapshotBuilder.Open {
    /// Takes the blocks that an incremental file has, and gives up those that it says are gone.
    fileprivate mutating func take(
        _ increment: IncrementalHeader, of member: Member, into extents: inout [Snapshot.Extent]
    ) {
        let size = IncrementalHeader.blockByteCount
        var rest: [Range<UInt32>] = []
        var run = 0
        for range in missing {
            var from = range.lowerBound
            while run < increment.runs.count, increment.runs[run].end <= from { run += 1 }
            var next = run
            while next < increment.runs.count, increment.runs[next].first < range.upperBound {
                let found = increment.runs[next]
                let low = max(from, found.first)
                let high = min(range.upperBound, found.end)
                if from < low { rest.append(from..<low) }
                extents.append(
                    .init(
                        source: member.offset + increment.offset(ofRun: next) + Int(low - found.first) * size,
                        byteCount: Int(high - low) * size, file: file, offset: Int(low) * size))
                from = high
                next += 1
            }
            if from < range.upperBound { rest.append(from..<range.upperBound) }
        }
        let limit = increment.truncationBlockCount
        missing = rest.compactMap { $0.lowerBound < limit ? $0.lowerBound..<min($0.upperBound, limit) : nil }
    }

    /// Takes all that is missing from a whole file, as far as it goes.
    fileprivate func take(_ member: Member, into extents: inout [Snapshot.Extent]) {
        let size = IncrementalHeader.blockByteCount
        let limit = UInt32(clamping: member.byteCount / size)
        for range in missing where range.lowerBound < limit {
            let high = min(range.upperBound, limit)
            extents.append(
                .init(
                    source: member.offset + Int(range.lowerBound) * size,
                    byteCount: Int(high - range.lowerBound) * size, file: file,
                    offset: Int(range.lowerBound) * size))
        }
    }
}
