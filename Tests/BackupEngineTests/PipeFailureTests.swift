import BackupAPI
import BackupConformance
import Codecs
import TestSupport
import Testing

@testable import BackupEngine

/// A stage that fails ends the stages that wait for it, and the operation says why.
@Suite struct PipeFailureTests {
    private static let format = FrameFormat(frameByteCount: 4096, framesPerVolume: 4)

    /// One worker, so that the archive has more frames than there is memory for.
    @Test(.timeLimit(.minutes(10))) func `a restore that meets damage early ends`() async throws {
        let backup = GoldenBackup.all[0]
        let folder = try TemporaryFolder()
        try await onPool {
            let repository = try await GoldenRepository.inMemory()
            let key = try Layout.object("primary", backup.label, "data/base.000001.tar")
            repository.place.damage(key) { $0[10] ^= 4 }
            let chain = try await BackupChain.open(
                catalog: repository.golden.catalog(), label: backup.label, codecs: StandardCodecs.registry,
                cryptography: OpenSSLCryptography(), workers: 1)
            let request = RestorePlan(
                dataDirectory: folder.path("data"), tablespaceMapping: ["/srv/space": folder.path("space")])

            let error = await #expect(throws: EngineError.self) {
                _ = try await RestoreOperation(
                    chain: chain, request: request, cryptography: OpenSSLCryptography(),
                    progress: ProgressCounter(activity: "test")
                ).run()
            }

            #expect(error?.reason == .objectDamaged)
        }
    }

    /// At the first byte, and within the first volume.
    @Test(.timeLimit(.minutes(10)), arguments: [0, 5000])
    func `a backup whose only target fails ends with the target's error`(afterByteCount: Int) async throws {
        let full = StorageError(.noSpace, operation: .write, key: "x", target: "memory:")
        let place = FaultyBackend(MemoryBackend()) { call in
            call.kind == .beginWrite ? .cut(afterByteCount: afterByteCount, full) : nil
        }
        let pipe = EncodePipe(
            chain: CodecChain([]), format: Self.format, targets: [UploadTarget(name: "memory", backend: place)],
            cryptography: OpenSSLCryptography(), binding: .backup(id: "x"), keyPrefix: "p/", workers: 2)

        let error = await #expect(throws: StorageError.self) {
            try await onPool {
                try await pipe.run {
                    let stream = pipe.beginStream(framesPerVolume: 4) { "volume\($0)" }
                    for _ in 0..<200 { try await stream.write([UInt8](repeating: 1, count: 4096)) }
                    _ = try await stream.finish()
                }
            }
        }

        #expect(error?.reason == .noSpace)
    }
}
