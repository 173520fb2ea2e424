import BackupAPI
import BackupConformance
import Codecs
import Foundation
import LocalBackend
import S3Backend
import SSHBackend
import Synchronization
import TestSupport
import Testing

@testable import BackupEngine

/// A cluster and three places, and what must be at each of them.
final class SoakWorld {
    /// A place, and what is known of its backups.
    struct Place {
        let name: String
        let backend: any StorageBackend
        /// Backups that must be listed.
        var certain: Set<BackupLabel> = []
        /// Backups that may be listed: an operation on them failed.
        var possible: Set<BackupLabel> = []
        /// Keys of comments that must be in the notes about a backup that is there.
        var comments: [BackupLabel: Set<String>] = [:]
    }

    let cluster: PostgresCluster
    let folder: TemporaryFolder
    let seed: UInt64
    var places: [Place]
    var numbers: SeededNumbers
    /// Seconds since 1970 as the program sees it.
    let clock: SoakClock

    init(_ ground: SoakGround, seed: UInt64) async throws {
        cluster = ground.cluster
        folder = try TemporaryFolder()
        self.seed = seed
        numbers = SeededNumbers(seed: seed)
        clock = SoakClock()
        places = try await ground.places(folder)
    }

    func chance(_ count: Int, in total: Int) -> Bool { Int.random(in: 0..<total, using: &numbers) < count }

    func label(at place: Int) -> BackupLabel? { places[place].certain.sorted().randomElement(using: &numbers) }

    /// A backup and all that build on it.
    func family(of label: BackupLabel, at place: Int) async -> Set<BackupLabel> {
        var family: Set<BackupLabel> = [label]
        for entry in (try? await lab(places[place].backend).catalog().entries()) ?? [] {
            guard case .success(let record) = entry.record, let parent = record.parent else { continue }
            if family.contains(parent) { family.insert(entry.label) }
        }
        return family
    }

    func taker() -> LeaseTaker {
        let clock = clock
        return LeaseTaker(host: "soak", process: getpid(), clock: { clock.now })
    }

    func lab(_ backend: any StorageBackend) -> EngineLab { EngineLab(folder: folder, backend: backend) }

    /// The lease of a run that died, or could not give it back, has expired, unless the clock was set back since.
    func outlastLeases() { clock.jump(Lease.lifetimeInSeconds + 100) }

    /// Every lease has expired.
    func outlastAllLeases() {
        clock.jumpToLatest()
        outlastLeases()
    }

    private(set) var violationCount = 0
    /// What was done, for who looks into a violation.
    private var history: [String] = []

    func note(_ words: String) { history.append("\(clock.now): \(words)") }

    func violate(_ words: String) {
        violationCount += 1
        Issue.record("seed \(seed): \(words)\n\(history.joined(separator: "\n"))")
    }

    /// Compares what each place lists with what must be there.
    func checkLists(_ moment: String) async throws {
        for index in places.indices {
            let place = places[index]
            let entries: [CatalogEntry]
            do {
                entries = try await lab(place.backend).catalog().entries()
            } catch is ProgramError {
                // There was no backup yet.
                entries = []
            }
            let listed = Set(entries.map(\.label))
            let broken = entries.filter { !$0.isValid }.map(\.label)
            if !broken.isEmpty { violate("\(moment): \(broken) at \(place.name) cannot be read") }
            let lost = place.certain.subtracting(listed)
            if !lost.isEmpty { violate("\(moment): \(lost) is lost at \(place.name)") }
            let more = listed.subtracting(place.certain).subtracting(place.possible)
            if !more.isEmpty { violate("\(moment): \(more) is at \(place.name) though nobody made it") }
            for entry in entries {
                guard case .success(let record) = entry.record, let parent = record.parent else { continue }
                if !listed.contains(parent) { violate("\(moment): \(entry.label) has no parent at \(place.name)") }
            }
            places[index].certain = listed
            places[index].possible = []
            places[index].comments = place.comments.filter { listed.contains($0.key) }
        }
    }

    /// Looks at every byte that is listed, and that there is nothing else; restores one backup of each place.
    func checkAll() async throws {
        for place in places {
            let lab = lab(place.backend)
            for label in place.certain.sorted() {
                let report = try await lab.verify(label)
                if !report.isSound { violate("\(label) at \(place.name) is not sound: \(report)") }
            }
            try await checkComments(place)
            try await checkRemains(place)
            guard let label = place.certain.sorted().randomElement(using: &numbers) else { continue }
            let data = folder.path("restored-\(place.name)")
            _ = try await lab.restore(label, to: RestorePlan(dataDirectory: data))
            let check = try Program.run(try cluster.bin("pg_verifybackup"), [data])
            if check.status != 0 { violate("\(label) of \(place.name): \(check.errorText)") }
            try FileManager.default.removeItem(atPath: data)
        }
    }

    private func checkComments(_ place: Place) async throws {
        for (label, keys) in place.comments {
            let found = try await lab(place.backend).catalog().notes.notes(about: label).comments.keys
            let lost = keys.subtracting(found)
            if !lost.isEmpty { violate("of \(label) at \(place.name) the comments \(lost.sorted()) are lost") }
        }
    }

    private func checkRemains(_ place: Place) async throws {
        let prefix = "primary/backup/"
        var folders: Set<String> = []
        try await place.backend.forEachEntry(ListRequest(prefix: prefix)) { entry in
            guard case .object(let info) = entry else { return }
            folders.insert(String(info.key.string.dropFirst(prefix.count).prefix { $0 != "/" }))
        }
        let orphans = folders.subtracting(place.certain.map(\.string))
        if !orphans.isEmpty { violate("\(orphans) at \(place.name) belongs to no backup") }
        var leases: [String] = []
        try await place.backend.forEachEntry(ListRequest(prefix: "primary/lease/")) { entry in
            if case .object(let info) = entry { leases.append(info.key.string) }
        }
        if !leases.isEmpty { violate("\(leases) at \(place.name) is nobody's lease") }
        let unfinished = try await place.backend.sweepUnfinished(prefix: "")
        if unfinished > 0 { violate("\(unfinished) unfinished uploads at \(place.name)") }
    }
}

/// A clock that stands still, and jumps when it is told to.
final class SoakClock: Sendable {
    private let seconds = Atomic<Int>(1_727_506_604)
    private let latest = Atomic<Int>(0)
    var now: Int { seconds.load(ordering: .relaxed) }

    func jump(_ count: Int) {
        let now = seconds.add(count, ordering: .relaxed).newValue
        latest.max(now, ordering: .relaxed)
    }

    /// Goes to the latest time that it has shown.
    func jumpToLatest() { seconds.store(latest.load(ordering: .relaxed), ordering: .relaxed) }
}

/// What all lifecycles share: a cluster, an SFTP server and an S3 server.
struct SoakGround {
    let cluster: PostgresCluster
    private let ssh: SSHServer
    private let s3: SeaweedServer

    init() throws {
        cluster = try PostgresCluster.start(17, settings: ["autovacuum": "off", "summarize_wal": "on"])
        try cluster.psql("CREATE TABLE t AS SELECT i, md5(i::text) x FROM generate_series(1, 2000) i")
        // A third of the size, so that a lifecycle takes a third of the time.
        try cluster.psql("UPDATE pg_database SET datistemplate = false")
        for name in ["template0", "template1"] { try cluster.psql("DROP DATABASE \(name)") }
        ssh = try SSHServer()
        s3 = try SeaweedServer.shared()
    }

    /// Three places, in which there is nothing.
    func places(_ folder: TemporaryFolder) async throws -> [SoakWorld.Place] {
        let name = String(UInt64.random(in: .min ... .max), radix: 36)
        let s3Values = s3.settings().merging(["part_size": "5M"]) { $1 }
        let bucket = try await S3BackendFactory.factory(cryptography: OpenSSLCryptography()).open(
            TargetSettings(
                location: TargetLocation(s3.url(prefix: "soak/\(name)")), values: s3Values.mapValues { Secret($0) }))
        let remote = try await SSHBackendFactory.factory().open(
            TargetSettings(
                location: TargetLocation(ssh.url() + "/soak-\(name)"), values: ssh.settings.mapValues { Secret($0) }))
        return [
            SoakWorld.Place(name: "local", backend: LocalBackend(path: folder.path("repository"))),
            SoakWorld.Place(name: "s3", backend: bucket), SoakWorld.Place(name: "ssh", backend: remote),
        ]
    }
}
