import PostgresClient
import TestSupport
import Testing

extension ServerTests {
    @Suite struct SessionTests {
        @Test(arguments: try PostgresVersions.installed)
        func `SQL gives rows, and errors with their code`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major)

            try await onThreads {
                let session = try await PostgresSession.open(cluster.settings)
                #expect(session.serverVersion.major == major)
                #expect(
                    try await session.query("SELECT $1::text, NULL, 1 UNION ALL SELECT 'ü', '', 2 ORDER BY 3", ["a'b"])
                        == [
                            ["a'b", nil, "1"], ["ü", "", "2"],
                        ])
                let error = await #expect(throws: PostgresError.self) { _ = try await session.query("SELECT 1/0") }
                #expect(error?.sqlState == "22012")
                #expect(try await session.parameter("wal_level") == "replica")
            }
        }

        @Test func `a statement that takes too long is cancelled and the session closed`() async throws {
            let cluster = try PostgresCluster.start(17)

            try await onThreads {
                let session = try await PostgresSession.open(cluster.settings)
                let slow = await #expect(throws: PostgresError.self) {
                    _ = try await session.query("SELECT pg_sleep(600)", timeLimit: .milliseconds(100))
                }
                #expect(slow?.reason == .timedOut)
                let closed = await #expect(throws: PostgresError.self) { _ = try await session.query("SELECT 1") }
                #expect(closed?.reason == .connectionLost)
            }
            let left = try cluster.psql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)'")
            #expect(left == "0")
        }

        @Test func `cancelling the task ends a running statement`() async throws {
            let cluster = try PostgresCluster.start(15)
            let session = try await onThreads { try await PostgresSession.open(cluster.settings) }

            let task = Task(executorPreference: ThreadPerJob()) { try await session.query("SELECT pg_sleep(600)") }
            try cluster.waitUntil("SELECT count(*) = 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'")
            let begin = ContinuousClock.now
            task.cancel()
            let error = await #expect(throws: PostgresError.self) { try await task.value }

            #expect(error?.reason == .cancelled)
            #expect(.now - begin < .seconds(60))
            try cluster.waitUntil("SELECT count(*) = 0 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'")
        }

        @Test(arguments: try PostgresVersions.installed)
        func `a replication session identifies the system and shows settings`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major, initdbArguments: ["--wal-segsize=1"])

            try await onThreads {
                let session = try await ReplicationSession.open(cluster.settings)
                let identity = try await session.identifySystem()
                #expect(
                    identity.systemIdentifier.description
                        == (try cluster.psql("SELECT system_identifier FROM pg_control_system()")))
                #expect(identity.timeline == .first)
                #expect(identity.position > .zero)
                #expect(identity.database == nil)
                #expect(try await session.show("wal_level") == "replica")
                #expect(try await session.segmentSize().byteCount == 1 << 20)
                let error = await #expect(throws: PostgresError.self) { _ = try await session.show("no_such_setting") }
                #expect(error?.sqlState == "42704")
            }
        }

        @Test(arguments: try PostgresVersions.installed)
        func `slots are made, kept from others, and dropped`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major)

            try await onThreads {
                let session = try await ReplicationSession.open(cluster.settings)
                try await session.createTemporaryPhysicalSlot("passing")
                try await session.createPhysicalSlot("lasting")
                #expect(
                    try cluster.psql("SELECT count(*) FROM pg_replication_slots WHERE restart_lsn IS NOT NULL") == "2")
                let error = await #expect(throws: PostgresError.self) {
                    try await session.createPhysicalSlot("lasting")
                }
                #expect(error?.reason == .slotInUse)
                session.close()
                try cluster.waitUntil("SELECT count(*) = 1 FROM pg_replication_slots")

                let next = try await ReplicationSession.open(cluster.settings)
                try await next.dropSlot("lasting")
                #expect(try cluster.psql("SELECT count(*) FROM pg_replication_slots") == "0")
            }
        }

        @Test(arguments: try PostgresVersions.installed)
        func `what matters for backups is read without special rights`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major)
            try cluster.psql("CREATE ROLE bob LOGIN REPLICATION; CREATE ROLE ann LOGIN")

            try await onThreads {
                var settings = cluster.settings
                settings.user = "bob"
                let facts = try await PostgresSession.open(settings).preflight(incremental: major >= 17)
                #expect(facts.version.major == major)
                #expect(facts.walLevel == "replica")
                #expect(facts.maximumWALSenders == 10)
                #expect(facts.usedWALSenders == 0)
                #expect(facts.hasDataChecksums)
                #expect(facts.segmentSize == .standard)
                #expect(facts.blockByteCount == 8192)
                #expect(!facts.isInRecovery)
                #expect(facts.summarizesWAL == (major >= 17 ? true : nil))

                settings.user = "ann"
                let ann = try await PostgresSession.open(settings)
                let error = await #expect(throws: PostgresError.self) {
                    _ = try await ann.preflight(incremental: false)
                }
                #expect(error?.reason == .permission)
                #expect(error?.remedy == "Run as a superuser: ALTER ROLE \"ann\" REPLICATION;")
            }
        }
    }
}
