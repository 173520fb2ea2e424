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

/// Backups to a folder, a bucket and an SFTP server of which a call fails.
@Suite struct PlaceAnomalyTests {
    /// The three places, and a clock that goes so far between two runs that a lease which could not be deleted has expired.
    private final class Bench: Sendable {
        let cluster: PostgresCluster
        let folder: TemporaryFolder
        let places: [any StorageBackend]
        private let ssh: SSHServer
        private let seconds = Atomic<Int>(1_727_506_604)

        init() async throws {
            cluster = try PostgresCluster.start(17, settings: ["autovacuum": "off"])
            folder = try TemporaryFolder()
            ssh = try SSHServer()
            let s3 = try SeaweedServer.shared()
            let prefix = "anomaly/" + String(UInt64.random(in: .min ... .max), radix: 36)
            places = [
                LocalBackend(path: folder.path("repository")),
                try await S3BackendFactory.factory(cryptography: OpenSSLCryptography()).open(
                    TargetSettings(
                        location: TargetLocation(s3.url(prefix: prefix)),
                        values: (s3.settings().merging(["part_size": "5M"]) { $1 }).mapValues { Secret($0) })),
                try await SSHBackendFactory.factory().open(
                    TargetSettings(location: TargetLocation(ssh.url()), values: ssh.settings.mapValues { Secret($0) })),
            ]
        }

        /// Takes a backup; the targets are in the order of the places.
        func backup(to backends: [any StorageBackend]) async throws -> (label: BackupLabel?, targets: [UploadTarget]) {
            let now = seconds.add(Lease.lifetimeInSeconds + 100, ordering: .relaxed).newValue
            var plan = EngineLab(folder: folder).plan(cluster, compression: nil)
            plan.clock = { now * 1000 }
            plan.taker.clock = { now }
            let (ready, targets) = (plan, backends.map { UploadTarget(name: $0.displayName, backend: $0) })
            let outcome = try? await onPool {
                try await BackupOperation(plan: ready, progress: ProgressCounter(activity: "")).run(to: targets)
            }
            return (outcome?.record.label, targets)
        }

        /// Requires that all that a place lists is whole; deep looks at every byte.
        func expectWhole(_ place: any StorageBackend, _ labels: Set<BackupLabel>, _ moment: String) async throws {
            let lab = EngineLab(folder: folder, backend: place)
            let entries = try await onPool { try await lab.catalog().entries() }
            let listed = Set(entries.map(\.label))
            let broken = entries.filter { !$0.isValid }.map(\.label)
            #expect(broken == [] && listed == labels, "\(moment): \(place.displayName)")
        }

        func expectSound(_ place: any StorageBackend, _ label: BackupLabel, _ moment: String) async throws {
            let lab = EngineLab(folder: folder, backend: place)
            let report = try await onPool { try await lab.verify(label, depth: .stored) }
            #expect(report.isSound, "\(moment): \(label) at \(place.displayName)")
        }
    }

    private static func fault(after isAfter: Bool) -> Fault {
        let error = StorageError(.permissionDenied, operation: .write, key: "x", target: "injected")
        return isAfter ? .failAfter(error) : .failBefore(error)
    }

    /// The first and the last call of each kind on each object: those between are writes and reads of more bytes of it.
    private static func chosen(_ calls: [FaultyCall]) -> [Int] {
        var last: [String: Int] = [:]
        var numbers: Set<Int> = []
        for call in calls {
            let subject = "\(call.kind) \(call.key?.string ?? "")"
            if last[subject] == nil { numbers.insert(call.number) }
            last[subject] = call.number
        }
        return numbers.union(last.values).sorted()
    }

    /// All places fail at their n-th call in one run, so that each of them is tried with one reading of PostgreSQL.
    @Test(arguments: [false, true])
    func `whichever call fails, before or after its work, what is listed is whole and the next backup succeeds`(
        isAfter: Bool
    ) async throws {
        let bench = try await Bench()
        let oldest = try #require(try await bench.backup(to: bench.places).label)
        let calm = bench.places.map { FaultyBackend($0) { _ in nil } }
        let second = try #require(try await bench.backup(to: calm).label)
        var whole = bench.places.map { _ in Set([oldest, second]) }

        let numbers = Set(calm.flatMap { Self.chosen($0.calls) }).sorted()
        for number in numbers {
            let faulty = bench.places.map { place in
                FaultyBackend(place) { $0.number == number ? Self.fault(after: isAfter) : nil }
            }
            let (label, targets) = try await bench.backup(to: faulty)

            for (index, target) in targets.enumerated() {
                let call = faulty[index].calls.first { $0.number == number }
                let moment = "call \(number), \(call?.kind.rawValue ?? "none")"
                if let failure = target.failure {
                    #expect((failure as? StorageError)?.target == "injected", "\(moment): \(failure)")
                } else if let label {
                    whole[index].insert(label)
                }
                try await bench.expectWhole(bench.places[index], whole[index], moment)
                if number % 4 == 0 { try await bench.expectSound(bench.places[index], oldest, moment) }
            }
        }

        #expect(numbers.count > 30)
        let (label, targets) = try await bench.backup(to: bench.places)
        let last = try #require(label)
        #expect(targets.well.count == bench.places.count)
        for (index, place) in bench.places.enumerated() {
            whole[index].insert(last)
            try await bench.expectWhole(place, whole[index], "at the end")
            for label in whole[index] { try await bench.expectSound(place, label, "at the end") }
            #expect(try await place.sweepUnfinished(prefix: "") == 0)
            await place.close()
        }
    }
}
