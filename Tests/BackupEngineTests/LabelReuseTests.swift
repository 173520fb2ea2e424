import BackupAPI
import BackupConformance
import BackupEngine
import Glibc
import TestSupport
import Testing

/// A label names one backup, also after it is gone.
@Suite struct LabelReuseTests {
    private let lab: EngineLab
    private let place = MemoryBackend(name: "memory:place")

    init() throws { lab = EngineLab(folder: try TemporaryFolder(), backend: place) }

    @Test func `a backup right behind a deletion does not get the label that was deleted`() async throws {
        let cluster = try PostgresCluster.start(17)
        let lab = lab
        // Two backups within a second, so that the second one's label is ahead of the clock.
        var early = lab.plan(cluster)
        early.clock = { (Int(time(nil)) + 1) * 1000 }
        let plan = early
        let (first, second) = try await onPool {
            (try await lab.backup(plan).record.label, try await lab.backup(plan).record.label)
        }

        let gone = try await BackupDeletion(catalog: lab.catalog(), taker: plan.taker).run(second, cascades: false)
        let third = try await onPool { try await lab.backup(lab.plan(cluster)).record.label }

        #expect(gone == [second])
        #expect(first < second)
        #expect(second < third)
        #expect(try await lab.catalog().labels() == [first, third])
    }

    @Test func `a backup does not get the label of remains`() async throws {
        let cluster = try PostgresCluster.start(17)
        let remains = BackupLabel(secondsSince1970: Int(time(nil)) + 3600)
        place.plant([7], at: try Layout.object("primary", remains, "data/base.000001.tar"))
        let lab = lab

        let label = try await onPool { try await lab.backup(lab.plan(cluster)).record.label }

        #expect(remains < label)
        #expect(try await lab.catalog().labels() == [label])
    }
}
