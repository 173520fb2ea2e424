import BackupAPI
import BackupCLI
import BackupConformance
import Codecs
import TestSupport
import Testing

/// `target check` with the engine, on a place that only this test knows.
@Suite struct TargetCheckTests {
    @Test func `a place whose clock is an hour ahead is remarked, with the remedy`() async throws {
        let folder = try TemporaryFolder()
        try folder.write(
            Array("[pgmoneta]\n[target:far]\nurl = memory://x/\n[primary]\nhost = h\nuser = u\n".utf8), to: "p.conf")
        let place = ClockedPlace()
        let factory = BackendFactory(scheme: "memory") { _ throws(StorageError) in place }
        let captured = CapturedConsole()
        let session = Session(
            program: "pgmoneta-cli",
            kit: Kit(
                backends: BackendRegistry([factory]), codecs: StandardCodecs.registry,
                cryptography: OpenSSLCryptography()),
            environment: [:], clock: .system, console: captured.console(), makeService: ServiceWiring.makeService)
        let command = try TargetCheckCommand.make(from: ["far", "-c", folder.path("p.conf")])

        let exitCode = await CommandRunner(session).run(command)

        #expect(exitCode == .done, "\(captured.output)\(captured.errors)")
        #expect(captured.output.contains("ClockSkewSeconds: 36"))
        #expect(captured.output.contains("s behind the target's: set the one that is wrong"))
        #expect(place.memory.keys.isEmpty)
    }
}

/// A place in memory whose clock is an hour ahead.
private final class ClockedPlace: StorageBackend {
    let memory = MemoryBackend()

    var displayName: String { memory.displayName }

    var capabilities: Capabilities { memory.capabilities }

    func unixSeconds() async throws(StorageError) -> Int? { CommandClock.system.unixSeconds() + 3605 }

    func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo { try await memory.stat(key) }

    func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        try await memory.openRead(key, range: range)
    }

    func beginWrite(_ key: ObjectKey, options: WriteOptions) async throws(StorageError) -> any UploadDriver {
        try await memory.beginWrite(key, options: options)
    }

    func list(_ request: ListRequest) async throws(StorageError) -> ListPage { try await memory.list(request) }

    func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] {
        try await memory.delete(keys)
    }

    func sweepUnfinished(prefix: String) async throws(StorageError) -> Int {
        try await memory.sweepUnfinished(prefix: prefix)
    }

    func freeByteCount() async throws(StorageError) -> Int? { nil }

    func close() async {}
}
