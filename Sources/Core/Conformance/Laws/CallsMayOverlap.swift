import BackupAPI

extension ConformanceBench {
    /// Checks `calls-may-overlap`: writers, readers, listings and deletes on one connection at once.
    func checkCallsMayOverlap() async throws {
        let taskCount = 8
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<taskCount {
                group.addTask { try await self.workAlone(task) }
            }
            group.addTask {
                for _ in 0..<10 { _ = try await self.listedNames() }
            }
            try await group.waitForAll()
        }
        let names = try await listedNames(on: other)
        let expected = (0..<taskCount).map { "shared/\($0)-last" }
        try require(names == expected, "after \(taskCount) tasks at once, \(names) is listed and not \(expected)")
    }

    /// Writes, reads and deletes its own objects, in folders that others create and empty at the same time.
    private func workAlone(_ task: Int) async throws {
        for round in 0..<5 {
            let bytes = Sample.bytes(40_000 + 1000 * task + round, seed: UInt64(100 * task + round))
            let key = try key("shared/folder/\(task)-\(round)")
            try await write(bytes, to: key, pieceByteCount: 9_000)
            let stored = try await read(key)
            try require(stored == bytes, "with other calls at once, an object has \(Sample.difference(stored, bytes))")
            let range = ByteRange(offset: 10_000 + task, count: 20_000)
            let run = try await read(key, range: range)
            try require(
                run == Array(bytes[range.offset..<range.end]), "with other calls at once, a run has other bytes")
            let refused = try await backend.delete([key])
            try require(refused.isEmpty, "with other calls at once, delete is refused")
        }
        try await write(Sample.bytes(10, seed: 1), to: try key("shared/\(task)-last"))
    }
}
