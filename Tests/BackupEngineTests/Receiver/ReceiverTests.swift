import BackupEngine
import Foundation
import PostgresClient
import Synchronization
import TestSupport
import Testing

/// A receiver of WAL on a real server: what it says is safe is on the disk, and what was stored is what the server has.
@Suite struct ReceiverTests {
    /// A receiver with an upload into a folder, until it is ended.
    private final class Running: Sendable {
        let progress = ReceiverProgress()
        private let receiving: WALReceiving
        private let inbox: WALInbox
        private let task: Task<Void, Never>

        init(
            _ cluster: PostgresCluster, _ folder: TemporaryFolder, limits: WALInboxLimits = WALInboxLimits(),
            refuses: @escaping @Sendable () -> Bool = { false }
        ) throws {
            inbox = try WALInbox(folder: folder.path("spool/primary"))
            let stored = folder.path("stored")
            try FileManager.default.createDirectory(atPath: stored, withIntermediateDirectories: true)
            let plan = WALReceivingPlan(
                server: "primary",
                connection: PostgresClient.ConnectionSettings(
                    host: cluster.socketFolder, port: cluster.port, user: cluster.superuser),
                slot: "keeper", createsSlot: true, limits: limits, firstPause: .milliseconds(100))
            let receiving = WALReceiving(plan: plan, inbox: inbox, progress: progress)
            let upload = WALUpload(
                server: "primary", inbox: inbox, limits: limits, progress: progress
            ) { path in
                if refuses() { throw ProgramError(description: "the place takes nothing") }
                let target = stored + "/" + (path as NSString).lastPathComponent
                // As an archive does that has the file: the same is no fault.
                if FileManager.default.fileExists(atPath: target) {
                    try Program.check("/usr/bin/cmp", [path, target])
                } else {
                    try FileManager.default.copyItem(atPath: path, toPath: target)
                }
            }
            self.receiving = receiving
            task = Task(executorPreference: BlockingPool()) {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await receiving.run() }
                    group.addTask { await upload.run() }
                    await group.next()
                    group.cancelAll()
                }
            }
        }

        func end() async {
            receiving.finish()
            await task.value
            inbox.release()
        }

        func waitUntil(_ fits: (ReceiverProgress.Reading) -> Bool) async throws {
            let deadline = ContinuousClock.now + .seconds(600)
            while !fits(progress.reading) {
                guard .now < deadline else { throw ProgramError(description: "it never came: \(progress.reading)") }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private static func position(_ cluster: PostgresCluster) throws -> LSN {
        let text = try cluster.psql("SELECT pg_current_wal_flush_lsn()")
        return try #require(LSN(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    private static func write(_ cluster: PostgresCluster) throws {
        try cluster.psql("CREATE TABLE IF NOT EXISTS t (i int, s text)")
        try cluster.psql("INSERT INTO t SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 40000) i")
        try cluster.psql("SELECT pg_switch_wal()")
    }

    /// Compares all stored segments with those of the server, which has not recycled any.
    private static func expectStored(_ folder: TemporaryFolder, _ cluster: PostgresCluster, atLeast count: Int) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("stored")).sorted()
        #expect(names.count >= count, "\(names)")
        for (name, next) in zip(names, names.dropFirst()) {
            let size = WALSegmentSize.standard
            #expect(WALSegment(name: name, size: size)?.end == WALSegment(name: next, size: size)?.start, "\(name)")
        }
        for name in names {
            let same = try Program.run(
                "/usr/bin/cmp", [folder.path("stored/\(name)"), "\(cluster.dataFolder)/pg_wal/\(name)"])
            #expect(same.status == 0, "\(same.text)\(same.errorText)")
        }
    }

    @Test(arguments: [14, 18])
    func `segments come as the server has them, and it hears what is safe`(major: Int) async throws {
        let cluster = try PostgresCluster.start(major, settings: ["wal_keep_size": "1GB"])
        let folder = try TemporaryFolder()
        let running = try Running(cluster, folder)
        try await running.waitUntil { $0.isStreaming }

        try Self.write(cluster)
        let position = try Self.position(cluster)

        try await running.waitUntil { $0.safe >= position && $0.waitingCount == 0 }
        let seen = "SELECT flush_lsn >= '\(position)' FROM pg_stat_replication"
        try cluster.waitUntil(seen)
        await running.end()
        try Self.expectStored(folder, cluster, atLeast: 2)
        let left = try folder.tree().filter { $0.hasPrefix("spool/primary/0") && !$0.hasSuffix(".receiving") }
        #expect(left == [])
    }

    @Test func `a commit that waits for the receiver returns when its WAL is on the disk`() async throws {
        let cluster = try PostgresCluster.start(17, settings: ["synchronous_standby_names": "*"])
        let folder = try TemporaryFolder()
        let running = try Running(cluster, folder)
        try await running.waitUntil { $0.isStreaming }

        let begin = ContinuousClock.now
        for number in 0..<50 { try cluster.psql("SELECT txid_current(), \(number)") }
        let position = try Self.position(cluster)

        // Each of them would wait ten seconds for the next regular status.
        #expect(.now - begin < .seconds(250))
        #expect(running.progress.reading.safe.position + (1 << 16) >= position.position)
        await running.end()
    }

    @Test func `it goes on where the inbox ends, and else where the slot does`() async throws {
        let cluster = try PostgresCluster.start(17, settings: ["wal_keep_size": "1GB"])
        let folder = try TemporaryFolder()
        let first = try Running(cluster, folder)
        try await first.waitUntil { $0.isStreaming }
        await first.end()
        try Self.write(cluster)

        let second = try Running(cluster, folder)
        let middle = try Self.position(cluster)
        try await second.waitUntil { $0.safe >= middle && $0.waitingCount == 0 }
        await second.end()
        try FileManager.default.removeItem(atPath: folder.path("spool"))
        try Self.write(cluster)

        let third = try Running(cluster, folder)
        let last = try Self.position(cluster)
        try await third.waitUntil { $0.safe >= last && $0.waitingCount == 0 }
        await third.end()
        try Self.expectStored(folder, cluster, atLeast: 4)
    }

    @Test func `while no target takes WAL it waits here, up to the limit, and then on the server`() async throws {
        let cluster = try PostgresCluster.start(17, settings: ["wal_keep_size": "1GB"])
        let folder = try TemporaryFolder()
        let outage = Outage()
        let running = try Running(
            cluster, folder, limits: WALInboxLimits(byteCount: 40 << 20, reserve: 0), refuses: { outage.isOut })
        try await running.waitUntil { $0.isStreaming }

        for _ in 0..<4 { try Self.write(cluster) }
        try await running.waitUntil { $0.streamFault?.contains("the limit is") == true }
        #expect(running.progress.reading.uploadFault != nil)
        #expect(running.progress.reading.waitingByteCount <= 40 << 20)
        outage.end()

        let position = try Self.position(cluster)
        try await running.waitUntil { $0.safe >= position && $0.waitingCount == 0 }
        await running.end()
        try Self.expectStored(folder, cluster, atLeast: 5)
    }

    @Test func `a server that ends and comes back is followed`() async throws {
        let cluster = try PostgresCluster.start(17, settings: ["wal_keep_size": "1GB"])
        let folder = try TemporaryFolder()
        let running = try Running(cluster, folder)
        try await running.waitUntil { $0.isStreaming }
        try Self.write(cluster)

        for mode in [PostgresCluster.StopMode.fast, .immediate] {
            try cluster.restart(mode)
            try Self.write(cluster)
        }

        let position = try Self.position(cluster)
        try await running.waitUntil { $0.safe >= position && $0.waitingCount == 0 }
        await running.end()
        try Self.expectStored(folder, cluster, atLeast: 4)
    }

    @Test func `a new timeline is followed, with its history`() async throws {
        let cluster = try PostgresCluster.start(17, settings: ["wal_keep_size": "1GB"])
        let folder = try TemporaryFolder()
        let running = try Running(cluster, folder)
        try await running.waitUntil { $0.isStreaming }
        try Self.write(cluster)
        let before = try Self.position(cluster)
        try await running.waitUntil { $0.safe >= before }

        // A standby of itself: it is stopped in good order, recovers what it has, and is promoted.
        try cluster.stop()
        try Program.check("/usr/bin/install", ["-m", "600", "/dev/null", cluster.dataFolder + "/standby.signal"])
        try Program.check("/bin/chown", ["--reference", cluster.dataFolder, cluster.dataFolder + "/standby.signal"])
        try cluster.start()
        try cluster.psql("SELECT pg_promote()")
        try cluster.waitUntil("SELECT NOT pg_is_in_recovery()")
        try Self.write(cluster)

        let position = try Self.position(cluster)
        try await running.waitUntil { $0.timeline == 2 && $0.safe >= position && $0.waitingCount == 0 }
        await running.end()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("stored"))
        #expect(names.contains("00000002.history"))
        #expect(names.contains { $0.hasPrefix("00000002") && $0.count == 24 })
        #expect(names.contains { $0.hasPrefix("00000001") && $0.hasSuffix(".partial") })
    }

    @Test func `WAL that the server has given up is a gap, and the stream goes on behind it`() async throws {
        let cluster = try PostgresCluster.start(
            17, settings: ["max_slot_wal_keep_size": "1MB", "max_wal_size": "32MB"])
        let folder = try TemporaryFolder()
        let first = try Running(cluster, folder)
        try await first.waitUntil { $0.isStreaming }
        await first.end()
        for _ in 0..<6 { try Self.write(cluster) }
        try cluster.psql("CHECKPOINT")
        try cluster.waitUntil("SELECT wal_status = 'lost' FROM pg_replication_slots")

        let second = try Running(cluster, folder)
        try await second.waitUntil { $0.gapCount == 1 && $0.isStreaming }
        try Self.write(cluster)
        let position = try Self.position(cluster)
        try await second.waitUntil { $0.safe >= position && $0.waitingCount == 0 }
        await second.end()
        #expect(second.progress.reading.gapCount == 1)
    }

    @Test func `two receivers do not share an inbox`() async throws {
        let folder = try TemporaryFolder()
        let inbox = try WALInbox(folder: folder.path("spool/primary"))
        let error = #expect(throws: EngineError.self) { _ = try WALInbox(folder: folder.path("spool/primary")) }
        #expect(error?.reason == .busy)
        withExtendedLifetime(inbox) {}
    }
}

/// A place that is out until it is not.
private final class Outage: Sendable {
    private let state = Mutex(true)
    var isOut: Bool { state.withLock { $0 } }
    func end() { state.withLock { $0 = false } }
}
