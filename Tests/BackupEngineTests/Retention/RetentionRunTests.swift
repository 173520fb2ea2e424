import BackupAPI
import BackupConformance
import BackupEngine
import Testing

@Suite struct RetentionRunTests {
    private let lab = CopyLab()
    private let labels = ["20240101000000", "20240102000000", "20240103000000", "20240104000000", "20240105000000"]

    /// A chain of three, a full backup alone, and one that the policy keeps.
    private func plantAll() throws {
        try lab.plant(labels[0])
        try lab.plant(labels[1], parent: labels[0], seed: 2)
        try lab.plant(labels[2], parent: labels[1], seed: 3)
        try lab.plant(labels[3], seed: 4)
        try lab.plant(labels[4], seed: 5)
    }

    private func operation(
        on place: any StorageBackend, policy: RetentionPolicy = RetentionPolicy(days: 1)
    ) async throws -> RetentionOperation {
        let taker = LeaseTaker(host: "lab", process: 1, clock: { 1_727_506_604 })
        return RetentionOperation(catalog: try await lab.catalog(of: place), policy: policy, taker: taker)
    }

    private func listed(_ place: any StorageBackend) async throws -> [String] {
        try await lab.catalog(of: place).entries().map(\.label.string)
    }

    @Test func `what the policy does not keep goes, the rest is as it was`() async throws {
        try plantAll()
        let before = lab.source.contents

        let decisions = try await operation(on: lab.source).run().decisions

        #expect(decisions.map(\.isKept) == [false, false, false, false, true])
        #expect(try await listed(lab.source) == [labels[4]])
        for (key, bytes) in lab.source.contents { #expect(before[key] == bytes, "\(key)") }
        #expect(lab.source.keys.allSatisfy { !$0.string.contains("20240104") && !$0.string.contains("/lease/") })
    }

    @Test(arguments: ["data/base.000002.tar", "backup.sha512"])
    func `a newest backup that lacks an object is not the last valid one`(lost: String) async throws {
        try plantAll()
        _ = try await lab.source.delete([try ObjectKey("primary/backup/\(labels[4])/\(lost)")])

        _ = try await operation(on: lab.source).run()

        #expect(try await listed(lab.source) == [labels[3], labels[4]])
    }

    @Test func `a child of another parent does not count as valid`() async throws {
        try plantAll()
        try lab.plant("20240106000000", parent: labels[4], seed: 6)
        lab.source.damage(try ObjectKey("primary/backup/20240106000000/backup.info")) { bytes in
            if let place = bytes.firstRange(of: Array("\"parentID\" : \"b-2024".utf8)) { bytes[place.upperBound] ^= 1 }
        }

        let decisions = try await operation(on: lab.source).decide().decisions

        #expect(decisions.map(\.isKept) == [false, false, false, false, true, true])
        #expect(decisions[5].reasons == [.wanted])
    }

    @Test func `a backup that another may build on, which cannot be read now, is deleted only by force`() async throws {
        try lab.plant(labels[0])
        try lab.plant(labels[1], parent: labels[0], seed: 2)
        let label = try #require(BackupLabel(labels[0]))
        let hidden = labels[1] + "/backup.info"
        let place = FaultyBackend(lab.source) { call in
            call.key?.string.hasSuffix(hidden) == true ? .failBefore(.test(.permissionDenied)) : nil
        }
        let taker = LeaseTaker(host: "lab", process: 1, clock: { 1_727_506_604 })
        let deletion = BackupDeletion(catalog: try await lab.catalog(of: place), taker: taker)

        let error = await #expect(throws: EngineError.self) { try await deletion.run(label, cascades: false) }

        #expect(error?.reason == .isParent)
        #expect(try await deletion.run(label, cascades: false, isForced: true) == [label])
    }

    @Test func `a dry run says the same and changes nothing`() async throws {
        try plantAll()
        let before = lab.source.contents

        let said = try await operation(on: lab.source).decide()

        #expect(lab.source.contents == before)
        #expect(try await operation(on: lab.source).run() == said)
    }

    @Test func `a kept backup stays with all that it builds on`() async throws {
        try plantAll()
        let label = try #require(BackupLabel(labels[1]))
        _ = try await lab.catalog(of: lab.source).change(label, now: 1, .keep(true))

        let decisions = try await operation(on: lab.source).run().decisions

        #expect(decisions.map(\.isKept) == [true, true, false, false, true])
        #expect(try await listed(lab.source) == [labels[0], labels[1], labels[4]])
        #expect(lab.source.keys.filter { $0.string.hasPrefix("primary/notes/") }.count == 1)
    }

    @Test func `a backup that somebody keeps while retention runs is spared, with its parents`() async throws {
        try plantAll()
        let label = try #require(BackupLabel(labels[1]))
        let catalog = try await lab.catalog(of: lab.source)
        let bytes = try await notesBytes(.keep(true), about: label, catalog)
        let key = try ObjectKey("primary/notes/\(label)/000000001.json")
        let source = lab.source
        // The child of that backup is deleted first, and then somebody says it.
        let watched = FaultyBackend(source) { call in
            if call.kind == .delete, call.key?.string.contains(labels[2]) == true { source.plant(bytes, at: key) }
            return nil
        }

        let decisions = try await operation(on: watched).run().decisions

        #expect(decisions.map(\.isKept) == [true, true, false, false, true])
        #expect(decisions[1].reasons == [.kept])
        #expect(decisions[0].reasons == [.neededBy(label)])
        #expect(try await listed(source) == [labels[0], labels[1], labels[4]])
    }

    /// Puts archived files beside the backups: for each of these segments a record and bytes, and a history.
    private func plantWAL(_ names: [String], on place: MemoryBackend) throws {
        for name in names + ["00000002.history"] {
            let folder = "primary/wal/\(name.prefix(8))/"
            place.plant([1, 2, 3], at: try ObjectKey("\(folder)\(name).6a2f.zstd"))
            place.plant([4], at: try ObjectKey("\(folder)\(name).json"))
        }
    }

    private func archived(_ place: MemoryBackend) -> [String] {
        place.keys.map(\.string).filter { $0.hasPrefix("primary/wal/0") }
            .map { String($0.dropFirst("primary/wal/00000001/".count)) }.sorted()
    }

    /// Segments from before the first backup to behind the last one.
    private static let segments = (1...9).map { "00000001000000000000000\($0)" }

    /// Backups that begin in the segments 3, 5, 5 and 7, of which the policy keeps the last one.
    private func plantWithWAL() throws {
        for (label, number) in zip(labels, [3, 5, 5, 7]) {
            try lab.plant(label, seed: number, wal: Self.segments[number - 1])
        }
        try plantWAL(Self.segments + ["000000010000000000000006.00000028.backup"], on: lab.source)
    }

    @Test func `the log goes with the oldest backup that needs it, and histories stay`() async throws {
        try plantWithWAL()
        let before = archived(lab.source)

        let said = try await operation(on: lab.source).decide()
        #expect(archived(lab.source) == before)
        let done = try await operation(on: lab.source).run()

        #expect(said == done)
        #expect(done.wal.fileCount == 7)
        #expect(done.wal.byteCount == 7 * 4)
        #expect(done.wal.expiry.first?.string == Self.segments[6])
        let floors = lab.source.keys.map(\.string).filter { $0.hasPrefix("primary/wal/removed-before/") }
        #expect(floors == ["primary/wal/removed-before/\(Self.segments[6])"])
        let rest = Self.segments[6...] + ["00000002.history"]
        #expect(archived(lab.source) == rest.flatMap { ["\($0).6a2f.zstd", "\($0).json"] }.sorted())
    }

    @Test func `summaries of the log go with the log that they begin in`() async throws {
        try plantWithWAL()
        func key(_ number: Int) throws -> ObjectKey {
            let place = "000000000\(number)000000"
            return try ObjectKey("primary/summary/\(Self.segments[number - 1]).\(place)-000000000A000000.json")
        }
        for number in 1...9 { lab.source.plant([5], at: try key(number)) }
        lab.source.plant([6], at: try ObjectKey("primary/summary/foreign"))

        _ = try await operation(on: lab.source).run()

        let left = lab.source.keys.filter { $0.string.hasPrefix("primary/summary/") }
        #expect(try Set(left) == Set((7...9).map(key) + [ObjectKey("primary/summary/foreign")]))
    }

    @Test func `a kept backup keeps the log from its beginning on`() async throws {
        try plantWithWAL()
        let label = try #require(BackupLabel(labels[1]))
        _ = try await lab.catalog(of: lab.source).change(label, now: 1, .keep(true))

        let done = try await operation(on: lab.source).run()

        #expect(done.wal.fileCount == 4)
        #expect(done.wal.expiry.reason == .neededBy(label))
    }

    @Test func `while a backup that stays cannot be read, no log goes`() async throws {
        try plantWithWAL()
        let before = archived(lab.source)
        lab.source.damage(try ObjectKey("primary/backup/\(labels[3])/backup.info")) { $0[0] ^= 1 }

        let done = try await operation(on: lab.source).run()

        #expect(done.wal.fileCount == 0)
        #expect(archived(lab.source) == before)
    }

    @Test func `whichever call fails, the log that is left has no gap, and no record without its bytes`() async throws {
        try plantWithWAL()
        for number in 1... {
            let place = MemoryBackend(name: "memory:\(number)")
            for (key, bytes) in lab.source.contents { place.plant(bytes, at: key) }
            let faulty = FaultyBackend(place) { call in
                call.number == number ? .failBefore(.test(.permissionDenied)) : nil
            }

            _ = await storageReason { _ = try await operation(on: faulty).run() }

            let names = archived(place)
            let records = names.filter { $0.hasSuffix(".json") && $0.utf8.count == 29 }.map { String($0.dropLast(5)) }
            #expect(Array(Self.segments.suffix(records.count)) == records, "call \(number)")
            #expect(records.allSatisfy { names.contains("\($0).6a2f.zstd") }, "call \(number)")
            if faulty.callCount < number { break }
            #expect(number < 300, "it ends")
        }
    }

    private func notesBytes(_ edit: NotesEdit, about label: BackupLabel, _ catalog: Catalog) async throws -> [UInt8] {
        _ = try await catalog.change(label, now: 1, edit)
        let key = try ObjectKey("primary/notes/\(label)/000000001.json")
        let bytes = try #require(lab.source.contents[key])
        _ = try await lab.source.delete([key])
        return bytes
    }

    @Test(arguments: [false, true])
    func `retention whose n-th call fails leaves no broken chain, and goes on the next time`(isAfter: Bool) async throws
    {
        try plantAll()
        for number in 1... {
            let place = MemoryBackend(name: "memory:\(number)")
            for (key, bytes) in lab.source.contents { place.plant(bytes, at: key) }
            let faulty = FaultyBackend(place) { call in
                guard call.number == number else { return nil }
                return isAfter ? .failAfter(.test(.permissionDenied)) : .failBefore(.test(.permissionDenied))
            }

            let reason = await storageReason { _ = try await operation(on: faulty).run() }

            let entries = try await lab.catalog(of: place).entries()
            #expect(entries.contains { $0.label.string == labels[4] }, "call \(number)")
            for entry in entries {
                let parent = try entry.record.get().parent
                #expect(parent.map { label in entries.contains { $0.label == label } } ?? true, "call \(number)")
            }
            // The lease of a run that could not give it back is over by then.
            let later = LeaseTaker(host: "lab", process: 1, clock: { 1_727_516_604 })
            let again = RetentionOperation(
                catalog: try await lab.catalog(of: place), policy: RetentionPolicy(days: 1), taker: later)
            _ = try await again.run()
            #expect(place.keys.allSatisfy { !$0.string.contains("/backup/") || $0.string.contains(labels[4]) })
            if reason == nil, faulty.callCount < number { break }
            #expect(number < 300, "it ends")
        }
    }
}
