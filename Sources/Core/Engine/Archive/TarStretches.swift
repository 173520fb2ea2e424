/// Cuts what a tar file is made of into stretches of its length, so that each can be gathered in memory: from every archive the
/// extents that belong there. Bytes come out in the order of the tar file, whatever their order in the archives.
struct TarStretches {
    fileprivate struct Source {
        let plan: ArchivePlan
        /// Ascending by place in the tar file.
        var extents: [Snapshot.Extent]
        /// The first one that is not used up.
        var next = 0
    }

    private let layout: TarLayout
    private let stretchByteCount: Int
    private var sources: [Source]
    private var position = 0

    /// - Throws: `.indexDamaged`.
    init(_ snapshot: Snapshot, layout: TarLayout, stretchByteCount: Int) throws(EngineError) {
        self.layout = layout
        self.stretchByteCount = stretchByteCount
        sources = []
        for part in snapshot.parts where !part.extents.isEmpty {
            let plan = try ArchivePlan(record: part.record, archive: part.archive)
            let extents = part.extents.sorted { layout.place(of: $0) < layout.place(of: $1) }
            sources.append(Source(plan: plan, extents: extents))
        }
    }

    /// The next stretch: where it is, and what it is made of; nil behind the last one.
    mutating func next() -> (range: Range<Int>, parts: [SnapshotWalk.Part])? {
        guard position < layout.byteCount else { return nil }
        let range = position..<min(position + stretchByteCount, layout.byteCount)
        position = range.upperBound
        var parts: [SnapshotWalk.Part] = []
        for index in sources.indices {
            let extents = sources[index].take(before: range.upperBound, layout)
            guard !extents.isEmpty else { continue }
            parts.append(.init(plan: sources[index].plan, extents: extents.sorted { $0.source < $1.source }))
        }
        return (range, parts)
    }
}

extension TarLayout {
    /// Where an extent's bytes go.
    func place(of extent: Snapshot.Extent) -> Int { contents[extent.file] + extent.offset }
}

extension TarStretches.Source {
    /// Takes the extents before a place in the tar file. One that reaches over it is cut.
    fileprivate mutating func take(before end: Int, _ layout: TarLayout) -> [Snapshot.Extent] {
        var taken: [Snapshot.Extent] = []
        while next < extents.count {
            let extent = extents[next]
            let room = end - layout.place(of: extent)
            guard room > 0 else { break }
            guard extent.byteCount > room else {
                taken.append(extent)
                next += 1
                continue
            }
            var first = extent
            first.byteCount = room
            taken.append(first)
            extents[next].source += room
            extents[next].offset += room
            extents[next].byteCount -= room
            break
        }
        return taken
    }
}
