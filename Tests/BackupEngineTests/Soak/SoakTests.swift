import BackupAPI
import BackupConformance
import Foundation
import PostgresClient
import TestSupport
import Testing

@testable import BackupEngine

/// Lifecycles by chance on a folder, a bucket and an SFTP server at once, with faults: whatever happens, what is listed is whole, what
/// was promised is there, and the next run goes on.
///
/// `scripts/soak N` runs so many seeds. `PGMONETA_SOAK_FIRST_SEED` and `PGMONETA_SOAK_RUNS` choose them; a failure names its seed.
@Suite(.serialized) struct SoakTests {
    /// Seeds by which a fault was found.
    private static let foundSeeds: [UInt64] = [
        // A target that failed before its labels were listed lost an older backup, which had the label of the new one.
        20088
    ]

    @Test func `whatever fails in a lifecycle, nothing that was promised is lost`() async throws {
        let environment = ProcessInfo.processInfo.environment
        let first = environment["PGMONETA_SOAK_FIRST_SEED"].flatMap { UInt64($0) }
        let count = environment["PGMONETA_SOAK_RUNS"].flatMap { UInt64($0) } ?? 50
        let seeds = (first == nil ? Self.foundSeeds : []) + ((first ?? 1)..<(first ?? 1) + count)
        let ground = try SoakGround()
        var life = SoakLife()
        for seed in seeds {
            let violations = life.violationCount
            do {
                try await onPool { try await life.run(SoakWorld(ground, seed: seed)) }
            } catch {
                life.violate("seed \(seed): \(error)")
            }
            if life.violationCount > violations { print("soak: seed \(seed) failed") }
        }
        print("soak: \(seeds.count) runs, \(life.summary)")
    }
}

/// Runs lifecycles and counts.
struct SoakLife {
    private let faults = SoakCount()
    private var operationCount = 0
    private var deathCount = 0
    private(set) var violationCount = 0

    var summary: String {
        "\(operationCount) operations, \(faults.value) faults injected, \(deathCount) deaths planned, \(violationCount) violations"
    }

    /// Notes what should not have gone wrong.
    mutating func violate(_ words: String) {
        violationCount += 1
        Issue.record("\(words)")
    }

    /// One lifecycle.
    mutating func run(_ world: SoakWorld) async throws {
        let before = world.violationCount
        for _ in 0..<Int.random(in: 5...9, using: &world.numbers) {
            try await step(world)
            try await world.checkLists("after \(operationCount)")
            operationCount += 1
            if world.chance(1, in: 4) { world.clock.jump(Int.random(in: -90_000...400_000, using: &world.numbers)) }
        }
        world.outlastAllLeases()
        let targets = world.places.map { UploadTarget(name: $0.name, backend: $0.backend) }
        let record = try await backup(world, to: targets, parent: nil)
        for (index, target) in targets.enumerated() {
            if let record, target.failure == nil {
                world.places[index].certain.insert(record.label)
            } else {
                world.violate("the last backup failed at \(target.name): \(String(describing: target.failure))")
            }
        }
        try await world.checkLists("at the end")
        try await world.checkAll()
        for place in world.places { await place.backend.close() }
        violationCount += world.violationCount - before
    }

    /// The places, some of them with faults.
    private mutating func backends(_ world: SoakWorld) -> [any StorageBackend] {
        world.places.map { place in
            guard world.chance(1, in: 2) else { return place.backend }
            let faults = SoakFaults(&world.numbers)
            world.note("\(place.name): \(faults)")
            if faults.kind == .death { deathCount += 1 }
            return faults.around(place.backend, counting: self.faults)
        }
    }

    private mutating func step(_ world: SoakWorld) async throws {
        let backends = backends(world)
        let place = Int.random(in: 0..<world.places.count, using: &world.numbers)
        switch Int.random(in: 0..<12, using: &world.numbers) {
        case 0..<4: try await backUp(world, backends, isIncremental: false)
        case 4..<7: try await backUp(world, backends, isIncremental: true)
        case 7: await delete(world, backends, place)
        case 8: await retain(world, backends, place)
        case 9: await copy(world, backends, place)
        case 10: await annotate(world, backends, place)
        default: await look(world, backends, place)
        }
        // One run in two finds the leases of those that died.
        if world.chance(1, in: 2) { world.outlastLeases() }
    }

    private func backup(
        _ world: SoakWorld, to targets: [UploadTarget], parent: BackupLabel?
    ) async throws -> BackupRecord? {
        let clock = world.clock
        clock.jump(1)
        var plan = world.lab(targets[0].backend).plan(world.cluster, compression: "lz4")
        plan.clock = { clock.now * 1000 }
        plan.taker = world.taker()
        plan.parent = parent.map { ParentRequest(identifier: $0.string, codecs: world.lab(targets[0].backend).codecs) }
        return try? await BackupOperation(plan: plan, progress: ProgressCounter(activity: "")).run(to: targets).record
    }

    private func backUp(_ world: SoakWorld, _ backends: [any StorageBackend], isIncremental: Bool) async throws {
        let low = Int.random(in: 0..<2000, using: &world.numbers)
        try world.cluster.psql("UPDATE t SET x = md5(x) WHERE i BETWEEN \(low) AND \(low + 50)")
        let parent = isIncremental ? world.label(at: Int.random(in: 0..<3, using: &world.numbers)) : nil
        let chosen = world.places.indices.filter { _ in world.chance(2, in: 3) }
        let indices = chosen.isEmpty ? [0] : Array(chosen)
        let targets = indices.map { UploadTarget(name: world.places[$0].name, backend: backends[$0]) }
        let newest = world.places.compactMap { $0.certain.max() }.max()
        let record = try await backup(world, to: targets, parent: parent)
        world.note(
            "backup on \(parent?.string ?? "nothing") to \(targets.map(\.name)): \(record?.label.string ?? "failed")")
        for (index, target) in zip(indices, targets) {
            if let record, target.failure == nil {
                world.places[index].certain.insert(record.label)
            } else {
                // What died behind its commit is there, and nobody could be told.
                let listed = (try? await world.lab(world.places[index].backend).catalog().labels()) ?? []
                world.places[index].possible = Set(listed.filter { label in newest.map { label > $0 } ?? true })
            }
        }
    }

    private func delete(_ world: SoakWorld, _ backends: [any StorageBackend], _ place: Int) async {
        guard let label = world.label(at: place) else { return }
        // A deletion waits until the label is behind the clock.
        world.clock.jump(2)
        let family = await world.family(of: label, at: place)
        world.note("delete \(label) at \(world.places[place].name)")
        do {
            let gone = try await BackupDeletion(
                catalog: world.lab(backends[place]).catalog(), taker: world.taker()
            ).run(label, cascades: true)
            world.places[place].certain.subtract(gone)
        } catch {
            world.places[place].possible = family
            world.places[place].certain.subtract(family)
        }
    }

    private func retain(_ world: SoakWorld, _ backends: [any StorageBackend], _ place: Int) async {
        let days = Int.random(in: 1...3, using: &world.numbers)
        let before = world.places[place].certain
        world.note("keep \(days) days at \(world.places[place].name)")
        do {
            let outcome = try await RetentionOperation(
                catalog: world.lab(backends[place]).catalog(), policy: RetentionPolicy(days: days), taker: world.taker()
            ).run()
            let kept = Set(outcome.decisions.filter(\.isKept).map(\.backup.label))
            if !before.isEmpty, kept.isEmpty { world.violate("retention kept nothing at \(world.places[place].name)") }
            world.places[place].certain = before.intersection(kept)
        } catch {
            // The newest that is valid is never deleted.
            world.places[place].possible = before
            world.places[place].certain = Set(before.max().map { [$0] } ?? [])
        }
    }

    private func copy(_ world: SoakWorld, _ backends: [any StorageBackend], _ place: Int) async {
        guard let label = world.label(at: place) else { return }
        let other = (place + 1) % world.places.count
        var plan = CopyPlan(
            server: "primary", cryptography: world.lab(backends[place]).cryptography, taker: world.taker())
        plan.includesParents = true
        world.note("copy \(label) from \(world.places[place].name) to \(world.places[other].name)")
        do {
            let outcome = try await BackupCopy(
                plan: plan, from: backends[place], to: backends[other], progress: ProgressCounter(activity: "")
            ).run(label.string)
            world.places[other].certain.formUnion(outcome.copiedLabels + [label])
        } catch {
            world.places[other].possible = world.places[place].certain
        }
    }

    private func annotate(_ world: SoakWorld, _ backends: [any StorageBackend], _ place: Int) async {
        guard let label = world.label(at: place), let catalog = try? await world.lab(backends[place]).catalog() else {
            return
        }
        let number = Int.random(in: 0..<1000, using: &world.numbers)
        world.note("annotate \(label) at \(world.places[place].name)")
        let edit = NotesEdit.add(key: "k\(number)", comment: "c")
        guard (try? await catalog.change(label, now: world.clock.now, edit)) != nil else { return }
        world.places[place].comments[label, default: []].insert("k\(number)")
    }

    /// Verifies and restores through faults: what they say is right, or they say nothing.
    private func look(_ world: SoakWorld, _ backends: [any StorageBackend], _ place: Int) async {
        guard let label = world.label(at: place) else { return }
        let lab = world.lab(backends[place])
        world.note("verify and restore \(label) of \(world.places[place].name)")
        _ = try? await lab.verify(label)
        let data = world.folder.path("looked")
        defer { try? FileManager.default.removeItem(atPath: data) }
        guard (try? await lab.restore(label, to: RestorePlan(dataDirectory: data))) != nil else { return }
        let check = try? Program.run(world.cluster.bin("pg_verifybackup"), [data])
        if check?.status != 0 {
            world.violate("\(label) of \(world.places[place].name) was restored wrong: \(check?.errorText ?? "")")
        }
    }
}
