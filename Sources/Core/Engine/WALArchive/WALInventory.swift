import BackupAPI
package import PostgresClient

/// What a WAL archive has, in a form that grows with the gaps and not with the segments.
package struct WALInventory: Sendable, Hashable {
    /// The files of one timeline.
    package struct Part: Sendable, Hashable {
        /// Runs of neighbouring segments by number, ascending.
        package fileprivate(set) var runs: [ClosedRange<UInt64>] = []
        /// Stored bytes of all its objects.
        package fileprivate(set) var storedByteCount = 0
        /// Whether its history is there.
        package fileprivate(set) var hasHistory = false

        package var segmentCount: Int { runs.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) + 1 } }
        /// What is missing between the first segment and the last one.
        package var gaps: [ClosedRange<UInt64>] {
            zip(runs, runs.dropFirst()).map { ($0.upperBound + 1)...($1.lowerBound - 1) }
        }
        /// Whether a segment is there.
        package func hasSegment(_ number: UInt64) -> Bool { runs.contains { $0.contains(number) } }
    }

    /// The bytes of a segment of the cluster; nil when there is none.
    package private(set) var segmentSize: WALSegmentSize?
    private var parts: [Timeline: Part] = [:]

    /// Makes the inventory of an archive that has nothing.
    package init(segmentSize: WALSegmentSize? = nil) { self.segmentSize = segmentSize }

    /// The timelines of which something is there, ascending.
    package var timelines: [Timeline] { parts.keys.sorted() }

    /// What is there of a timeline.
    package func part(_ timeline: Timeline) -> Part { parts[timeline] ?? Part() }

    /// Adds a file that the archive has. Files come in any order.
    package mutating func add(_ name: WALFileName) {
        switch name.kind {
        case .history: parts[name.timeline, default: Part()].hasHistory = true
        case .segment:
            guard let size = segmentSize, let number = WALSegment(name: name.string, size: size)?.number else { return }
            parts[name.timeline, default: Part()].insert(number)
        case .partial, .backup: break
        }
    }

    /// Counts the stored bytes of an object.
    mutating func add(byteCount: Int, of timeline: Timeline) {
        parts[timeline, default: Part()].storedByteCount += byteCount
    }

    /// Joins what another target has.
    package mutating func add(_ other: WALInventory) {
        segmentSize = segmentSize ?? other.segmentSize
        for (timeline, part) in other.parts {
            var mine = self.part(timeline)
            mine.hasHistory = mine.hasHistory || part.hasHistory
            mine.storedByteCount += part.storedByteCount
            for run in part.runs { mine.insert(run) }
            parts[timeline] = mine
        }
    }

    /// Says how large segments are, before the first of them is added.
    mutating func setSegmentSize(_ size: WALSegmentSize) { segmentSize = size }

    /// The segment of a number.
    package func name(of number: UInt64, _ timeline: Timeline) -> String {
        let size = segmentSize ?? .standard
        return WALSegment(containing: LSN(number &* UInt64(size.byteCount)), timeline: timeline, size: size).name
    }
}

extension WALInventory.Part {
    fileprivate mutating func insert(_ number: UInt64) {
        // Listings are in order, so this is nearly always the end.
        guard let last = runs.last else { return runs = [number...number] }
        if number == last.upperBound + 1 { return runs[runs.count - 1] = last.lowerBound...number }
        if number > last.upperBound { return runs.append(number...number) }
        insert(number...number)
    }

    fileprivate mutating func insert(_ run: ClosedRange<UInt64>) {
        var merged: [ClosedRange<UInt64>] = []
        for next in (runs + [run]).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard let last = merged.last, next.lowerBound <= last.upperBound + 1 else {
                merged.append(next)
                continue
            }
            merged[merged.count - 1] = last.lowerBound...max(last.upperBound, next.upperBound)
        }
        runs = merged
    }
}

extension WALArchive {
    /// Lists what the archive has; beside the names, one record is read.
    package func inventory() async throws -> WALInventory {
        let prefix = Layout.walPrefix(server)
        var inventory = WALInventory()
        try await backend.forEachEntry(ListRequest(prefix: prefix)) { entry in
            guard case .object(let info) = entry, let timeline = Layout.walTimeline(of: info.key, server) else {
                return
            }
            inventory.add(byteCount: info.byteCount, of: timeline)
            guard let name = Layout.walFile(ofRecord: info.key, server) else { return }
            if name.kind == .segment, inventory.segmentSize == nil,
                let size = try await record(name).flatMap({ WALSegmentSize(byteCount: $0.bytes) })
            {
                inventory.setSegmentSize(size)
            }
            inventory.add(name)
        }
        return inventory
    }
}
