import BackupAPI
import BackupConformance
import BackupEngine
import LocalBackend
import Synchronization
import TestSupport
import Testing

@Suite struct NotesTests {
    private let lab = CopyLab()
    private let label = BackupLabel(secondsSince1970: BackupLabel(CopyLab.label)?.secondsSince1970 ?? 0)

    private func noteKeys(_ place: MemoryBackend) -> [String] {
        place.keys.map(\.string).filter { $0.hasPrefix("primary/notes/") }
    }

    private func reason(_ body: () async throws -> Void) async -> EngineError.Reason? {
        do { try await body() } catch { return (error as? EngineError)?.reason }
        return nil
    }

    @Test func `comments are added, updated and removed, each in a revision of its own`() async throws {
        try lab.plant()
        let catalog = try await lab.catalog(of: lab.source)

        _ = try await catalog.change(label, now: 10, .add(key: "mykey", comment: "mycomment"))
        _ = try await catalog.change(label, now: 4000, .add(key: "ünï\n|,", comment: "ß \u{1F600}\n\t,|\\"))
        let updated = try await catalog.change(label, now: 8000, .update(key: "mykey", comment: ""))

        #expect(updated.comments == ["mykey": "", "ünï\n|,": "ß \u{1F600}\n\t,|\\"])
        #expect(updated.revision == 3)
        #expect(updated.changedAt == 8000)
        #expect(try await catalog.notes.notes(about: label) == updated)
        let left = (2...3).map { "primary/notes/\(label)/00000000\($0).json" }
        #expect(noteKeys(lab.source) == left, "what was superseded an hour ago is swept")

        let removed = try await catalog.change(label, now: 40, .remove(key: "mykey"))
        #expect(removed.comments.keys.sorted() == ["ünï\n|,"])
    }

    @Test func `a key that is there is not added, one that is not there not changed`() async throws {
        try lab.plant()
        let catalog = try await lab.catalog(of: lab.source)
        _ = try await catalog.change(label, now: 1, .add(key: "a", comment: "b"))
        let before = lab.source.contents

        #expect(
            await reason { _ = try await catalog.change(label, now: 2, .add(key: "a", comment: "c")) } == .commentExists
        )
        #expect(await reason { _ = try await catalog.change(label, now: 2, .remove(key: "b")) } == .commentMissing)
        #expect(
            await reason { _ = try await catalog.change(label, now: 2, .update(key: "b", comment: "")) }
                == .commentMissing)
        #expect(lab.source.contents == before)
    }

    @Test func `what says nothing new is not written`() async throws {
        try lab.plant()
        let catalog = try await lab.catalog(of: lab.source)
        _ = try await catalog.change(label, now: 1, .keep(true))
        let before = lab.source.contents

        #expect(try await catalog.change(label, now: 2, .keep(true)).isKept)
        #expect(lab.source.contents == before)
    }

    @Test(arguments: [false, true])
    func `concurrent changes lose nothing`(isDirectory: Bool) async throws {
        try lab.plant()
        let folder = try TemporaryFolder()
        let directory = LocalBackend(path: folder.path("repository"))
        if isDirectory { _ = try await lab.copy(to: directory) }
        let place: any StorageBackend = isDirectory ? directory : lab.source
        let catalog = try await lab.catalog(of: place)
        let label = label

        try await onPool {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<24 {
                    group.addTask {
                        _ = try await catalog.change(label, now: 1, .add(key: "k\(number)", comment: "c\(number)"))
                    }
                }
                while try await group.next() != nil {}
            }
        }

        let notes = try await catalog.notes.notes(about: label)
        #expect(notes.comments == Dictionary(uniqueKeysWithValues: (0..<24).map { ("k\($0)", "c\($0)") }))
        #expect(notes.revision >= 24)
    }

    /// Lets a test in when notes are written: after the writer has read what was there.
    private func hooked(_ beforeWrite: @escaping @Sendable (MemoryBackend) async -> Void) throws -> HookBackend {
        let steps = Steps()
        let hook = HookBackend { await steps.next() }
        // The first call is the look at the record.
        steps.second = { [memory = hook.memory] in await beforeWrite(memory) }
        try lab.plant(on: hook.memory)
        return hook
    }

    private final class Steps: @unchecked Sendable {
        // Sound: the calls of one change come one after the other.
        var second: (@Sendable () async -> Void)?
        private var count = 0

        func next() async {
            count += 1
            if count == 2 { await second?() }
        }
    }

    @Test func `a change made on a revision that others have swept meanwhile is made again`() async throws {
        let (label, lab) = (label, lab)
        let hook = try hooked { memory in
            for number in 0..<3 {
                _ = try? await lab.catalog(of: memory).change(
                    label, now: 4000 * (number + 1), .add(key: "fast\(number)", comment: "3"))
            }
        }
        _ = try await lab.catalog(of: hook.memory).change(label, now: 1, .add(key: "first", comment: "1"))

        let notes = try await lab.catalog(of: hook).change(label, now: 2, .add(key: "slow", comment: "2"))

        #expect(notes.comments.keys.sorted() == ["fast0", "fast1", "fast2", "first", "slow"])
        #expect(try await lab.catalog(of: hook.memory).notes.notes(about: label) == notes)
    }

    @Test func `a change whose answer was lost is not made twice`() async throws {
        try lab.plant()
        let isLost = Once()
        let faulty = FaultyBackend(lab.source) { call in
            let isNote = call.kind == .commit && call.key?.string.contains("/notes/") == true
            return isNote && isLost.first() ? .failAfter(.test(.unavailable)) : nil
        }

        let notes = try await onPool {
            try await lab.catalog(of: LayerChoice.all.wrap(faulty)).change(
                label, now: 1, .add(key: "a", comment: "b"))
        }

        #expect(!isLost.first())
        #expect(notes.comments == ["a": "b"])
        #expect(noteKeys(lab.source) == ["primary/notes/\(label)/000000001.json"])
    }

    private final class Once: Sendable {
        private let isOver = Atomic(false)

        func first() -> Bool { !isOver.exchange(true, ordering: .relaxed) }
    }

    @Test func `notes are about backups that are there`() async throws {
        try lab.plant()
        let catalog = try await lab.catalog(of: lab.source)
        let other = try #require(BackupLabel("20230101000000"))

        #expect(await reason { _ = try await catalog.change(other, now: 1, .keep(true)) } == .unknownBackup)
        #expect(noteKeys(lab.source).isEmpty)
    }

    @Test func `notes about a backup that is deleted meanwhile are told and gone`() async throws {
        let record = try ObjectKey("primary/backup/\(label)/backup.info")
        let hook = try hooked { memory in _ = try? await memory.delete([record]) }
        let catalog = try await lab.catalog(of: hook)

        #expect(await reason { _ = try await catalog.change(label, now: 1, .keep(true)) } == .unknownBackup)
        #expect(noteKeys(hook.memory).isEmpty)
    }

    @Test func `a kept backup is deleted only by force, and its notes go with it`() async throws {
        try lab.plant()
        try lab.plant("20240929000000", parent: CopyLab.label, seed: 2)
        let catalog = try await lab.catalog(of: lab.source)
        let child = try #require(BackupLabel("20240929000000"))
        _ = try await catalog.change(child, now: 1, .keep(true))
        let before = lab.source.contents
        let deletion = BackupDeletion(
            catalog: catalog, taker: LeaseTaker(host: "lab", process: 1, clock: { 1_727_700_000 }))

        let error = await #expect(throws: EngineError.self) { _ = try await deletion.run(label, cascades: true) }
        #expect(error?.reason == .backupKept)
        #expect(error?.summary.contains("20240929000000") == true)
        #expect(lab.source.contents == before)

        let gone = try await deletion.run(label, cascades: true, isForced: true)
        #expect(gone == [child, label])
        #expect(noteKeys(lab.source).isEmpty)
    }

    @Test func `a copy brings the notes, unless the destination has its own`() async throws {
        try lab.plant()
        let destination = MemoryBackend(name: "memory:destination")
        let (here, there) = (lab.source, destination)
        _ = try await lab.catalog(of: here).change(label, now: 1, .add(key: "a", comment: "here"))
        _ = try await lab.catalog(of: here).change(label, now: 1, .keep(true))

        _ = try await lab.copy(to: there)
        #expect(try await lab.catalog(of: there).notes.notes(about: label).comments == ["a": "here"])
        #expect(try await lab.catalog(of: there).notes.notes(about: label).isKept)

        _ = try await lab.catalog(of: there).change(label, now: 2, .update(key: "a", comment: "there"))
        _ = try await lab.copy(to: there)
        #expect(try await lab.catalog(of: there).notes.notes(about: label).comments == ["a": "there"])
    }

    @Test func `the next run removes notes about backups that are not there`() async throws {
        try lab.plant()
        let catalog = try await lab.catalog(of: lab.source)
        _ = try await catalog.change(label, now: 1, .keep(true))
        lab.source.plant([1], at: try ObjectKey("primary/notes/20200101000000/000000001.json"))

        _ = try await OrphanSweep(backend: lab.source, server: "primary").removeOrphans(catalog)

        #expect(noteKeys(lab.source) == ["primary/notes/\(label)/000000001.json"])
    }

    @Test func `in an encrypted repository any altered bit, and notes at another place, are found`() async throws {
        let (lab, label) = (lab, label)
        let master = MasterKey(id: "m", secret: Secret([UInt8](repeating: 3, count: 32)))
        try lab.plant()
        lab.source.plant(
            Array(#"{"format": 1, "id": "x", "isEncrypted": true}"#.utf8), at: try ObjectKey("repository.json"))
        _ = try await KeyStore(backend: lab.source, cryptography: lab.cryptography).create(for: master, now: 1)
        let catalog = try await lab.catalog(of: lab.source, masterKey: master)
        _ = try await catalog.notes.change(label, now: 1) { $0.isKept = true }
        #expect(try await catalog.notes.notes(about: label).isKept)
        let key = try ObjectKey("primary/notes/\(label)/000000001.json")
        let bytes = try #require(lab.source.contents[key])

        for place in bytes.indices {
            lab.source.damage(key) { $0[place] ^= 1 }
            // What is no JSON any more, or names another key, is as little believed.
            let found = try await catalog.notes.all(about: [label])[label]
            #expect(throws: EngineError.self, "byte \(place)") { try found?.get() }
            lab.source.plant(bytes, at: key)
        }
        let later = try ObjectKey("primary/notes/\(label)/000000002.json")
        lab.source.plant(bytes, at: later)
        #expect(await reason { _ = try await catalog.notes.notes(about: label) } == .notesDamaged)
        #expect(
            await reason { _ = try await catalog.notes.change(label, now: 2) { $0.isKept = false } } == .notesDamaged)
    }
}
