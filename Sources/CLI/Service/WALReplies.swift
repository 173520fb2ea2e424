package import BackupEngine
import PostgresClient

/// The Response of the commands about the WAL archive.
extension BackupReplies {
    /// `wal-push`.
    package func walPush(_ answer: WALPushAnswer) -> [String: OutputValue] {
        var fields = common(ServerIdentity(name: answer.server))
        fields["File"] = .string(answer.file)
        fields["FileSize"] = .size(answer.byteCount)
        fields["StoredSize"] = .size(answer.storedByteCount)
        fields["Targets"] = targets(answer.targets)
        return fields
    }

    /// `wal ls`.
    package func walList(_ answer: WALListAnswer, server: ServerSettings) -> [String: OutputValue] {
        var fields = common(ServerIdentity(name: server.name))
        fields["Complete"] = .bool(answer.items.allSatisfy { $0.inventory.gapCount == 0 })
        fields["Targets"] = targets(answer.targets)
        fields["Timelines"] = .list(
            answer.items.flatMap { item in
                item.inventory.timelines.map { .object(timeline($0, of: item)) }
            })
        return fields
    }

    private func timeline(_ timeline: Timeline, of item: WALListAnswer.Item) -> [String: OutputValue] {
        let inventory = item.inventory
        let part = inventory.part(timeline)
        let gaps = part.gaps.map { gap in
            OutputValue.object([
                "First": .string(inventory.name(of: gap.lowerBound, timeline)),
                "Last": .string(inventory.name(of: gap.upperBound, timeline)),
                "Segments": .integer(gap.count),
            ])
        }
        return [
            "First": .string(part.runs.first.map { inventory.name(of: $0.lowerBound, timeline) } ?? ""),
            "Gaps": .list(gaps), "History": .bool(part.hasHistory),
            "Last": .string(part.runs.last.map { inventory.name(of: $0.upperBound, timeline) } ?? ""),
            "Segments": .integer(part.segmentCount), "Size": .size(part.storedByteCount),
            "Target": .string(item.target), "Timeline": .integer(Int(timeline.number)),
        ]
    }
}

extension WALInventory {
    /// How many gaps there are.
    fileprivate var gapCount: Int { timelines.reduce(0) { $0 + part($1).gaps.count } }
}
