import PostgresClient
import TestSupport
import Testing

extension ServerTests {
    @Suite struct BaseBackupTests {
        @Test(arguments: try PostgresVersions.installed)
        func `a base backup is received whole, with its manifest`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major)
            let receiver = CollectingReceiver()

            let end = try await onThreads {
                let session = try await ReplicationSession.open(cluster.settings)
                return try await session.baseBackup(.init(label: "it's", manifestChecksums: "SHA256"), to: receiver)
            }

            let start = try #require(receiver.start)
            let estimate = try #require(start.estimatedByteCount)
            let base = try #require(receiver.bytes(of: "base"))
            let files = try tarListing(base)
            let manifest = String(decoding: receiver.manifest, as: UTF8.self)
            #expect(end.endLSN > start.startLSN && end.timeline == start.timeline)
            #expect(estimate > 1 << 20 && estimate < 2 * base.count)
            #expect(receiver.endedArchiveCount == 1)
            let isWhole = files.contains("backup_label") && files.contains("global/pg_control")
            #expect(isWhole)
            #expect(try tarFile("backup_label", in: base).contains("LABEL: it's\n"))
            #expect(manifest.hasPrefix("{ \"PostgreSQL-Backup-Manifest-Version\": "))
            #expect(manifest.contains("\"Checksum-Algorithm\": \"SHA256\""))
            #expect(try manifestChecksum(receiver.manifest) == manifest.suffix(67).prefix(64))
        }

        @Test(arguments: try PostgresVersions.installed)
        func `each tablespace is an archive of its own`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major)
            let location = "\(cluster.dataFolder)/../space"
            try cluster.psql("\\! mkdir \(location)")
            try Program.check("/bin/chown", ["--reference", cluster.dataFolder, location])
            let realLocation = try Program.check("/usr/bin/realpath", [location]).filter { !$0.isNewline }
            try cluster.psql("CREATE TABLESPACE space LOCATION '\(realLocation)'")
            try cluster.psql("CREATE TABLE there TABLESPACE space AS SELECT generate_series(1, 1000) AS number")
            let file = try cluster.psql("SELECT pg_relation_filepath('there')")
            let oid = try cluster.psql("SELECT oid FROM pg_tablespace WHERE spcname = 'space'")
            let receiver = CollectingReceiver()

            _ = try await onThreads {
                let session = try await ReplicationSession.open(cluster.settings)
                return try await session.baseBackup(.init(label: "b", tablespaceMap: true), to: receiver)
            }

            let archive = try #require(receiver.bytes(of: oid))
            #expect(receiver.archives.map(\.archive.name).sorted() == [oid, "base"].sorted())
            #expect(receiver.archives.first { $0.archive.name == oid }?.archive.location == realLocation)
            #expect(receiver.start?.tablespaces.map(\.oid) == [oid])
            #expect(receiver.start?.tablespaces.map(\.location) == [realLocation])
            #expect(receiver.endedArchiveCount == 2)
            let files = try tarListing(archive)
            let hasTable = files.contains { file.hasSuffix("/" + $0) }
            let hasMap = try tarListing(#require(receiver.bytes(of: "base"))).contains("tablespace_map")
            #expect(hasTable)
            #expect(hasMap)
        }

        @Test(arguments: try PostgresVersions.installed)
        func `the server compresses where it can, and says so where it cannot`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major)
            let features = try cluster.features
            let tools = ["gzip": "/bin/gzip", "lz4": "/usr/bin/lz4", "zstd": "/usr/bin/zstd"]

            for (method, tool) in tools {
                let receiver = CollectingReceiver()
                let options = BaseBackupOptions(label: "b", serverCompression: .init(method: method, level: 1))
                let outcome = await onThreads {
                    await Result {
                        let session = try await ReplicationSession.open(cluster.settings)
                        _ = try await session.baseBackup(options, to: receiver)
                    }
                }
                if features.baseBackupCompressions.contains(method) {
                    try outcome.get()
                    let plain = try Program.run(tool, ["-dc"], input: #require(receiver.bytes(of: "base")))
                    #expect(plain.status == 0)
                    let isWhole = try tarListing(plain.output).contains("global/pg_control")
                    #expect(isWhole)
                } else {
                    let error = try #require(throws: PostgresError.self) { try outcome.get() }
                    #expect(error.reason == (major < 15 ? .unsupportedVersion : .backupFailed))
                }
            }
        }

        @Test(arguments: [17, 18])
        func `with the parent's manifest an incremental backup is made`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major)
            try cluster.psql("CREATE TABLE old AS SELECT generate_series(1, 100000) AS number; VACUUM FREEZE old")
            let full = CollectingReceiver()
            let incremental = CollectingReceiver()

            try await onThreads {
                let session = try await ReplicationSession.open(cluster.settings)
                _ = try await session.baseBackup(.init(label: "full"), to: full)
                try cluster.psql("CREATE TABLE new AS SELECT 1 AS number; UPDATE old SET number = 0 WHERE number = 5")
                try await session.uploadManifest { send in
                    for chunk in [Array(full.manifest.prefix(1000)), [], Array(full.manifest.dropFirst(1000))] {
                        try await send(unsafe chunk.span.bytes)
                    }
                }
                _ = try await session.baseBackup(.init(label: "incremental", incremental: true), to: incremental)
            }

            let files = try tarListing(#require(incremental.bytes(of: "base")))
            let table = try cluster.psql("SELECT pg_relation_filepath('old')").split(separator: "/")
            let hasBlocks = files.contains("\(table[0])/\(table[1])/INCREMENTAL.\(table[2])")
            #expect(hasBlocks)
            #expect(incremental.manifest.count > 0)
        }

        @Test(arguments: [17, 18])
        func `without WAL summaries an incremental backup names the setting`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major, settings: ["summarize_wal": "off"])
            let full = CollectingReceiver()

            let error = try await onThreads {
                let session = try await ReplicationSession.open(cluster.settings)
                _ = try await session.baseBackup(.init(label: "full"), to: full)
                return try await #require(throws: PostgresError.self) {
                    try await session.uploadManifest { send in
                        let manifest = full.manifest
                        try await send(unsafe manifest.span.bytes)
                    }
                    _ = try await session.baseBackup(.init(label: "b", incremental: true), to: CollectingReceiver())
                }
            }

            #expect(error.reason == .summariesMissing)
            #expect(error.remedy.contains("summarize_wal = on"))
        }

        @Test(arguments: try PostgresVersions.installed)
        func `cancelling in the middle ends soon and leaves no session`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major)
            let (began, begin) = AsyncStream.makeStream(of: Void.self)

            let task = Task(executorPreference: ThreadPerJob()) {
                let receiver = CollectingReceiver()
                receiver.onBytes = { begin.yield() }
                let session = try await ReplicationSession.open(cluster.settings)
                // Slow enough that the backup is still going on.
                return try await session.baseBackup(.init(label: "b", maxRateInKilobytesPerSecond: 1000), to: receiver)
            }
            var iterator = began.makeAsyncIterator()
            await iterator.next()
            let cancelled = ContinuousClock.now
            task.cancel()
            let error = await #expect(throws: PostgresError.self) { try await task.value }

            #expect(error?.reason == .cancelled)
            #expect(.now - cancelled < .seconds(60))
            try cluster.waitUntil("SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'walsender'")
        }

        @Test(arguments: [nil, Duration.milliseconds(500)])
        func `a frozen server holds up neither a cancelled backup nor one with a time limit`(limit: Duration?)
            async throws
        {
            let cluster = try PostgresCluster.start(17)
            let (began, begin) = AsyncStream.makeStream(of: Void.self)
            let task = Task(executorPreference: ThreadPerJob()) {
                let receiver = CollectingReceiver()
                receiver.onBytes = { begin.yield() }
                let session = try await ReplicationSession.open(cluster.settings)
                let options = BaseBackupOptions(
                    label: "b", maxRateInKilobytesPerSecond: 1000, silenceLimit: limit ?? .seconds(300))
                return try await session.baseBackup(options, to: receiver)
            }
            var iterator = began.makeAsyncIterator()
            await iterator.next()

            try await cluster.whileFrozen {
                let frozen = ContinuousClock.now
                if limit == nil { task.cancel() }
                let error = await #expect(throws: PostgresError.self) { try await task.value }

                #expect(error?.reason == (limit == nil ? .cancelled : .timedOut))
                #expect(.now - frozen < .seconds(15))
            }
        }

        @Test(arguments: [14, 18])
        func `an error of the receiver ends the backup and comes through unchanged`(major: Int) async throws {
            struct DiskFull: Error {}
            let cluster = try PostgresCluster.start(major)
            let receiver = CollectingReceiver()
            receiver.onBytes = { throw DiskFull() }

            await onThreads {
                _ = await #expect(throws: DiskFull.self) {
                    let session = try await ReplicationSession.open(cluster.settings)
                    _ = try await session.baseBackup(.init(label: "b"), to: receiver)
                }
            }

            try cluster.waitUntil("SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'walsender'")
        }

        @Test(arguments: try PostgresVersions.installed)
        func `a server that goes away in the middle is a lost connection`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major)
            let receiver = CollectingReceiver()
            var isStopped = false
            receiver.onBytes = {
                if !isStopped { try cluster.stop(.immediate) }
                isStopped = true
            }

            let error = try await onThreads {
                try await #require(throws: PostgresError.self) {
                    let session = try await ReplicationSession.open(cluster.settings)
                    // Slow enough that not all of it is under way already.
                    let options = BaseBackupOptions(label: "b", maxRateInKilobytesPerSecond: 1000)
                    return try await session.baseBackup(options, to: receiver)
                }
            }

            #expect(error.reason == .connectionLost)
            #expect(error.mayRetry)
            #expect(error.summary.hasPrefix("cannot back up '"))
        }

        @Test(arguments: [15, 17])
        func `damaged pages are reported at the end`(major: Int) async throws {
            let cluster = try PostgresCluster.start(major)
            try cluster.psql("CREATE TABLE torn AS SELECT generate_series(1, 1000) AS number; CHECKPOINT")
            let file = try cluster.psql("SELECT pg_relation_filepath('torn')")
            let patch = ["of=\(cluster.dataFolder)/\(file)", "bs=1", "seek=4000", "conv=notrunc", "status=none"]
            try Program.check("/bin/dd", patch, input: [1, 2, 3, 4])

            let error = try await onThreads {
                try await #require(throws: PostgresError.self) {
                    let session = try await ReplicationSession.open(cluster.settings)
                    return try await session.baseBackup(.init(label: "b"), to: CollectingReceiver())
                }
            }

            #expect(error.reason == .damagedPages)
        }
    }
}

/// The members of a tar stream, as `tar` names them.
func tarListing(_ bytes: [UInt8]) throws -> [String] {
    let outcome = try Program.run("/bin/tar", ["-t", "-f", "-"], input: bytes)
    guard outcome.status == 0 else { throw ProgramError(description: "tar: \(outcome.errorText)") }
    return outcome.text.split(separator: "\n").map { $0.hasPrefix("./") ? String($0.dropFirst(2)) : String($0) }
}

/// The text of a file in a tar stream.
private func tarFile(_ name: String, in bytes: [UInt8]) throws -> String {
    try Program.check("/bin/tar", ["-x", "-O", "-f", "-", name], input: bytes)
}

/// What the checksum in a manifest's last line must be: SHA-256 of all lines before it.
private func manifestChecksum(_ manifest: [UInt8]) throws -> String {
    let end = (manifest.dropLast().lastIndex(of: UInt8(ascii: "\n")) ?? 0) + 1
    let text = try Program.check("/usr/bin/sha256sum", input: Array(manifest[..<end]))
    return String(text.prefix(64))
}

extension Result where Failure == any Error {
    /// Keeps what an asynchronous body gives or throws.
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
