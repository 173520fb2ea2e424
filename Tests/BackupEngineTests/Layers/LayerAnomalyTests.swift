import BackupAPI
import BackupConformance
import BackupEngine
import Testing

/// The whole stack over a place where one call goes wrong.
@Suite struct LayerAnomalyTests {
    private static let middle = (0..<90_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }

    /// What a backup does with a place, with small objects: the answers, in words.
    private static func lifecycle(_ place: any StorageBackend) async throws -> [String] {
        let (first, second, third) = (try ObjectKey("a/first"), try ObjectKey("a/second"), try ObjectKey("b/third"))
        var answers: [String] = []
        answers.append("\(try await place.create(first, bytes: [1, 2, 3]))")
        answers.append("\(try await place.create(first, bytes: [4, 5]))")
        try await place.put(second) { (upload: inout Upload) in
            for start in stride(from: 0, to: middle.count, by: 30_000) {
                try await upload.write(Array(middle[start..<start + 30_000]))
            }
        }
        try await place.put(third, bytes: [7])
        try await place.put(third, bytes: [8, 9])
        answers.append("\(try await place.stat(second).byteCount)")
        answers.append("\(try await place.read(second, limit: 1 << 20) == middle)")
        answers.append("\(try await place.read(second, range: ByteRange(offset: 70_000, count: 5), limit: 10))")
        var names: [String] = []
        try await place.forEachEntry(ListRequest(prefix: "", limit: 2)) { names.append($0.position) }
        answers += names
        answers.append("\(try await place.delete([third]))")
        answers.append("\(try await place.sweepUnfinished(prefix: ""))")
        answers.append("\(String(describing: try await place.freeByteCount()))")
        return answers
    }

    @Test(arguments: [false, true])
    func `each single call may fail once, before or after its work, and nobody notices`(isAfter: Bool) async throws {
        let calm = FaultyBackend(MemoryBackend()) { _ in nil }
        let expected = try await Self.lifecycle(LayerChoice.all.wrap(calm))
        #expect(expected.prefix(2) == ["true", "false"])
        #expect(calm.callCount > 25)

        for number in 1...calm.callCount {
            let memory = MemoryBackend()
            let faulty = FaultyBackend(memory) { call in
                guard call.number == number else { return nil }
                return isAfter ? .failAfter(.test(.unavailable)) : .failBefore(.test(.unavailable))
            }

            let answers = try await Self.lifecycle(LayerChoice.all.wrap(faulty))

            #expect(answers == expected, "call \(number): \(faulty.calls[number - 1].kind)")
            #expect(memory.keys.map(\.string) == ["a/first", "a/second"], "call \(number)")
            #expect(memory.unfinishedCount == 0, "call \(number)")
        }
    }

    @Test func `a permanent error of each single call is told at once`() async throws {
        let calm = FaultyBackend(MemoryBackend()) { _ in nil }
        _ = try await Self.lifecycle(LayerChoice.all.wrap(calm))

        for number in 1...calm.callCount {
            let faulty = FaultyBackend(MemoryBackend(), failing: number, with: .test(.permissionDenied))

            let error = await #expect(throws: StorageError.self) {
                _ = try await Self.lifecycle(LayerChoice.all.wrap(faulty))
            }

            #expect(error?.reason == .permissionDenied, "call \(number)")
            #expect(faulty.callCount == number, "call \(number) was repeated")
        }
    }

    @Test func `a place that never answers ends with its own error after the budget`() async throws {
        let faulty = FaultyBackend(MemoryBackend()) { _ in .failBefore(.test(.unavailable)) }

        let error = await #expect(throws: StorageError.self) {
            _ = try await Self.lifecycle(LayerChoice.all.wrap(faulty))
        }

        #expect(error == .test(.unavailable))
        #expect(faulty.callCount == LayerChoice.settings.retry.attemptCount)
    }
}
