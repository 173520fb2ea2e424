import BackupAPI
import BackupConformance
import BackupEngine
import Testing

/// Copies that break off at any moment, and go on.
@Suite struct CopyAnomalyTests {
    private let lab = CopyLab()

    /// What the destination shows is of the source, and a record is there only when everything is.
    private func expectNothingWrong(_ destination: MemoryBackend, _ moment: String) {
        let (whole, found) = (CopyLab.backups(on: lab.source), CopyLab.backups(on: destination))
        for (key, bytes) in found { #expect(whole[key] == bytes, "\(moment): \(key)") }
        if found.keys.contains(where: { $0.hasSuffix("/backup.info") }) {
            #expect(found.count == whole.count, "\(moment): there is a record, and objects are missing")
        }
        #expect(destination.unfinishedCount == 0, "\(moment)")
    }

    @Test(arguments: [false, true], [false, true])
    func `a copy whose n-th call fails goes on to the end the next time`(isSource: Bool, isAfter: Bool) async throws {
        try lab.plant(keyID: "k1")
        var skipped = 0
        for number in 1... {
            let destination = MemoryBackend(name: "memory:destination")
            let faulty = FaultyBackend(isSource ? lab.source : destination) { call in
                guard call.number == number else { return nil }
                return isAfter ? .failAfter(.test(.permissionDenied)) : .failBefore(.test(.permissionDenied))
            }

            let first = await storageReason {
                _ = try await lab.copy(from: isSource ? faulty : nil, to: isSource ? destination : faulty)
            }
            expectNothingWrong(destination, "call \(number)")
            let second = try await lab.copy(to: destination)

            skipped += second.skippedObjectCount
            #expect(CopyLab.backups(on: destination) == CopyLab.backups(on: lab.source), "call \(number)")
            if first == nil, faulty.callCount < number { break }
            #expect(number < 200, "it ends")
        }
        #expect(skipped > 10, "what was copied is not copied again")
    }

    @Test func `a copy that is cancelled in the middle leaves no record, and goes on the next time`() async throws {
        try lab.plant()
        let destination = MemoryBackend(name: "memory:destination")
        let (reached, isReached) = AsyncStream<Void>.makeStream()
        let hanging = FaultyBackend(destination) { call in
            guard call.kind == .write, call.key?.string.hasSuffix("base.000002.tar") == true else { return nil }
            isReached.finish()
            return .hang
        }
        let task = Task { try await lab.copy(to: hanging) }

        for await _ in reached {}
        task.cancel()

        await #expect(throws: (any Error).self) { _ = try await task.value }
        expectNothingWrong(destination, "cancelled")
        #expect(destination.contents[try ObjectKey("primary/backup/\(CopyLab.label)/backup.info")] == nil)
        _ = try await lab.copy(to: destination)
        #expect(CopyLab.backups(on: destination) == CopyLab.backups(on: lab.source))
    }

    @Test func `the layers heal a copy over places that fail now and then`() async throws {
        try lab.plant()
        let destination = MemoryBackend(name: "memory:destination")
        let flaky = [lab.source, destination].map { place in
            LayerChoice.all.wrap(
                FaultyBackend(place) { $0.number % 7 == 3 ? .failBefore(.test(.unavailable)) : nil })
        }

        _ = try await lab.copy(from: flaky[0], to: flaky[1])

        #expect(CopyLab.backups(on: destination) == CopyLab.backups(on: lab.source))
    }
}
