import PostgresClient
import TestSupport
import Testing

extension ServerTests {
    @Suite struct WALStreamTests {
        @Test(arguments: try PostgresVersions.installed)
        func `WAL streamed beside a base backup makes it complete`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major, initdbArguments: ["--wal-segsize=1"])
            try cluster.psql("CREATE TABLE t AS SELECT generate_series(1, 10000) AS number")
            let backup = CollectingReceiver()
            let wal = CollectingWALReceiver()
            let size = try #require(WALSegmentSize(byteCount: 1 << 20))

            let (begin, end, streamed) = try await onThreads {
                let walSession = try await ReplicationSession.open(cluster.settings)
                try await walSession.createTemporaryPhysicalSlot("beside")
                let identity = try await walSession.identifySystem()
                let begin = identity.position.roundedDownToSegment(size: size)
                let stop = WALStop()
                async let stream = walSession.streamWAL(
                    from: begin, timeline: identity.timeline, slot: "beside", to: wal, stop: stop)
                let session = try await ReplicationSession.open(cluster.settings)
                let end = try await session.baseBackup(.init(label: "b"), to: backup)
                stop.stop(at: end.endLSN)
                return (begin, end, try await stream)
            }

            let start = try #require(backup.start)
            #expect(streamed.cause == .stopped)
            #expect(begin <= start.startLSN)
            #expect(streamed.position == end.endLSN.roundedUpToSegment(size: size))
            #expect(UInt64(wal.bytes.count) == streamed.position.byteCount(since: begin))

            let restored = try RestoredFolder(backup, wal: wal.bytes, from: begin, size: size)
            let server = try PostgresCluster.start(major, onDataFolder: restored.path)
            #expect(try server.psql("SELECT sum(number) FROM t") == "50005000")
        }

        @Test(arguments: try PostgresVersions.installed)
        func `a standby's stream ends inside a segment when nothing more comes`(major: Int) async throws {
            let primary = try PostgresCluster.start(major)
            let backup = CollectingReceiver()
            let size = WALSegmentSize.standard
            try await onThreads {
                let session = try await ReplicationSession.open(primary.settings)
                _ = try await session.baseBackup(.init(label: "b", includeWAL: true), to: backup)
            }
            let restored = try RestoredFolder(backup, wal: [], from: .zero, size: size)
            try Program.check("/usr/bin/touch", ["\(restored.path)/standby.signal"])
            let standby = try PostgresCluster.start(major, onDataFolder: restored.path)
            let target = try #require(LSN(try standby.psql("SELECT pg_last_wal_replay_lsn()")))
            let wal = CollectingWALReceiver()
            let stop = WALStop()
            stop.stop(at: target)

            let end = try await onThreads {
                let session = try await ReplicationSession.open(standby.settings)
                return try await session.streamWAL(
                    from: target.roundedDownToSegment(size: size), timeline: .first, to: wal, stop: stop)
            }

            #expect(end.cause == .stopped)
            #expect(end.position >= target)
        }

        @Test(arguments: try PostgresVersions.installed)
        func `the end of a timeline leads to its successor`(major: Int) async throws {
            let primary = try PostgresCluster.start(major)
            let backup = CollectingReceiver()
            try await onThreads {
                let session = try await ReplicationSession.open(primary.settings)
                _ = try await session.baseBackup(.init(label: "b", includeWAL: true), to: backup)
            }
            let restored = try RestoredFolder(backup, wal: [], from: .zero, size: .standard)
            try Program.check("/usr/bin/touch", ["\(restored.path)/standby.signal"])
            let server = try PostgresCluster.start(
                major, onDataFolder: restored.path, settings: ["wal_keep_size": "256MB"])
            try server.psql("SELECT pg_promote()")
            let start = try #require(backup.start?.startLSN.roundedDownToSegment(size: .standard))

            try await onThreads {
                let session = try await ReplicationSession.open(server.settings)
                let identity = try await session.identifySystem()
                let wal = CollectingWALReceiver()
                let end = try await session.streamWAL(from: start, timeline: .first, to: wal, stop: WALStop())
                guard case .timelineEnded(let next, let position) = end.cause else {
                    Issue.record("ended by \(end.cause)")
                    return
                }
                let history = try await session.timelineHistory(next)

                #expect(identity.timeline.number == 2 && next == identity.timeline)
                #expect(position == end.position)
                #expect(UInt64(wal.bytes.count) == position.byteCount(since: start))
                #expect(history.fileName == "00000002.history")
                #expect(String(decoding: history.bytes, as: UTF8.self).hasPrefix("1\t\(position)\t"))
                // A timeline that ends exactly where we begin is told at once.
                let again = try await session.streamWAL(from: position, timeline: .first, to: wal, stop: WALStop())
                #expect(again.cause == end.cause)
            }
        }

        @Test(arguments: try PostgresVersions.installed)
        func `a server that shuts down in good order ends the stream, and has sent everything`(major: Int) async throws
        {
            let cluster = try PostgresCluster.start(major)
            let wal = CollectingWALReceiver()
            let start = try #require(LSN(try cluster.psql("SELECT pg_current_wal_lsn()")))
                .roundedDownToSegment(size: .standard)

            let task = Task(executorPreference: ThreadPerJob()) {
                let session = try await ReplicationSession.open(cluster.settings)
                return try await session.streamWAL(from: start, timeline: .first, to: wal, stop: WALStop())
            }
            try cluster.waitUntil("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")
            try cluster.psql("CREATE TABLE t AS SELECT generate_series(1, 1000) AS number")
            let written = try #require(LSN(try cluster.psql("SELECT pg_current_wal_lsn()")))
            try cluster.stop(.fast)
            do {
                let end = try await task.value
                #expect(end.cause == .serverShutDown)
                #expect(end.position >= written)
            } catch let error as PostgresError {
                // The server closes right behind its last word; a status message that crosses it can cost us that word.
                #expect(error.reason == .connectionLost)
            }

            #expect(UInt64(wal.bytes.count) >= written.byteCount(since: start))
        }

        @Test func `WAL that is gone is named`() async throws {
            let cluster = try PostgresCluster.start(17, initdbArguments: ["--wal-segsize=1"])
            try cluster.psql("SELECT pg_switch_wal(); CHECKPOINT; SELECT pg_switch_wal(); CHECKPOINT")

            let error = try await onThreads {
                let session = try await ReplicationSession.open(cluster.settings)
                return try await #require(throws: PostgresError.self) {
                    _ = try await session.streamWAL(
                        from: LSN(1 << 20), timeline: .first, to: CollectingWALReceiver(), stop: WALStop())
                }
            }

            #expect(error.reason == .walGone)
            #expect(error.remedy.contains("'wal_keep_size'"))
        }

        @Test func `the server hears how far WAL is safe`() async throws {
            let cluster = try PostgresCluster.start(16)
            let stop = WALStop()
            let task = Task(executorPreference: ThreadPerJob()) {
                let session = try await ReplicationSession.open(cluster.settings)
                let identity = try await session.identifySystem()
                return try await session.streamWAL(
                    from: identity.position.roundedDownToSegment(size: .standard), timeline: .first,
                    to: CollectingWALReceiver(), stop: stop, statusInterval: .milliseconds(50))
            }

            try cluster.psql("CREATE TABLE t AS SELECT 1 AS number")
            try cluster.waitUntil("SELECT count(*) = 1 FROM pg_stat_replication WHERE flush_lsn = pg_current_wal_lsn()")
            stop.stopNow()

            #expect(try await task.value.cause == .stopped)
        }

        @Test func `a stream with a silent server is given up`() async throws {
            let cluster = try PostgresCluster.start(15)
            let process = try cluster.psql("SELECT 1")
            #expect(process == "1")
            let task = Task(executorPreference: ThreadPerJob()) {
                let session = try await ReplicationSession.open(cluster.settings)
                let identity = try await session.identifySystem()
                return try await session.streamWAL(
                    from: identity.position.roundedDownToSegment(size: .standard), timeline: .first,
                    to: CollectingWALReceiver(), stop: WALStop(), silenceLimit: .milliseconds(1500))
            }
            try cluster.waitUntil("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")
            let sender = try #require(
                Int32(try cluster.psql("SELECT pid FROM pg_stat_replication")))
            // A frozen process stands for a dead network: the connection is open and nothing comes.
            try Program.check("/bin/kill", ["-STOP", "\(sender)"])
            defer { _ = try? Program.run("/bin/kill", ["-CONT", "\(sender)"]) }
            let error = await #expect(throws: PostgresError.self) { try await task.value }

            #expect(error?.reason == .timedOut)
        }

        @Test(arguments: [14, 18])
        func `a receiver that waits for long loses neither the server nor the stream`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major, settings: ["wal_sender_timeout": "1s"])
            let stop = WALStop()
            let wal = HeldWALReceiver()
            let task = Task(executorPreference: ThreadPerJob()) {
                let session = try await ReplicationSession.open(cluster.settings)
                let identity = try await session.identifySystem()
                return try await session.streamWAL(
                    from: identity.position.roundedDownToSegment(size: .standard), timeline: .first, to: wal,
                    stop: stop, statusInterval: .milliseconds(100), silenceLimit: .seconds(2))
            }

            // Longer than either side would wait for a word of the other.
            try cluster.waitUntil(
                "SELECT count(*) = 1 FROM pg_stat_replication WHERE clock_timestamp() > backend_start + interval '4 s'")
            let written = try #require(
                LSN(try cluster.psql("CREATE TABLE t AS SELECT 1 AS number; SELECT pg_current_wal_lsn()")))
            wal.release()
            stop.stop(at: written)
            try cluster.psql("SELECT pg_switch_wal()")
            let end = try await task.value

            #expect(end.cause == .stopped)
            #expect(end.position >= written)
        }

        @Test(arguments: [14, 18])
        func `cancelling a stream ends it soon`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major)
            let task = Task(executorPreference: ThreadPerJob()) {
                let session = try await ReplicationSession.open(cluster.settings)
                let identity = try await session.identifySystem()
                return try await session.streamWAL(
                    from: identity.position.roundedDownToSegment(size: .standard), timeline: .first,
                    to: CollectingWALReceiver(), stop: WALStop())
            }
            try cluster.waitUntil("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")

            let cancelled = ContinuousClock.now
            task.cancel()
            let error = await #expect(throws: PostgresError.self) { try await task.value }

            #expect(error?.reason == .cancelled)
            #expect(.now - cancelled < .seconds(60))
            try cluster.waitUntil("SELECT count(*) = 0 FROM pg_stat_replication")
        }
    }
}
