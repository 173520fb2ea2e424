import BackupAPI
import BackupConformance
import Codecs
import PostgresClient
import TestSupport
import Testing

@testable import BackupEngine

/// PostgreSQL's checksum over its own manifest.
@Suite struct ManifestChecksumTests {
    private static let lines = """
        { "PostgreSQL-Backup-Manifest-Version": 1,
        "Files": [
        { "Path": "PG_VERSION", "Size": 3, "Last-Modified": "2025-01-01 00:00:00 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "CRC" }
        ],
        "WAL-Ranges": [
        { "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000120" }
        ],

        """
    private let cryptography = OpenSSLCryptography()
    private let content = Array("17\n".utf8)

    /// A manifest of the one file, with the checksum that `sha256sum` gives.
    private func manifest() throws -> [UInt8] {
        let tap = ArchiveTap(makeDigest: nil)
        try tap.consume(unsafe archive.span.bytes)
        let checksum = hexadecimal((0..<4).map { UInt8(truncatingIfNeeded: tap.members[0].checksum >> (8 * $0)) })
        let lines = Self.lines.replacing("CRC\"", with: "\(checksum)\"")
        let sum = try Program.check("/usr/bin/sha256sum", input: Array(lines.utf8)).prefix(64)
        return Array((lines + "\"Manifest-Checksum\": \"\(sum)\"}\n").utf8)
    }

    private var archive: [UInt8] {
        TarHeader.make(path: "PG_VERSION", byteCount: 3, mode: 0o600, modifiedAt: 0) + content
            + [UInt8](repeating: 0, count: 509 + 1024)
    }

    private func check(_ pieces: [ArraySlice<UInt8>]) throws {
        var reader = ManifestReader()
        var checksum = ManifestChecksum(sha256: cryptography.makeDigest(.sha256))
        for piece in pieces {
            try unsafe piece.withUnsafeBytes {
                try unsafe reader.consume($0) { _ in }
                try unsafe checksum.consume($0)
            }
        }
        try reader.finish()
        try checksum.finish(recorded: reader.checksum)
    }

    @Test func `a manifest has the checksum that it names, wherever it is split`() throws {
        let bytes = try manifest()

        try check([bytes[...]])
        try check(bytes.indices.map { bytes[$0...$0] })
        for split in bytes.indices { try check([bytes[..<split], bytes[split...]]) }
    }

    @Test func `a manifest of which any byte was changed is refused`() throws {
        let bytes = try manifest()
        for index in bytes.indices.dropLast() {
            var altered = bytes
            altered[index] ^= 0x01

            #expect(throws: ManifestError.self, "byte \(index)") { try check([altered[...]]) }
        }
    }

    @Test(arguments: [
        "{ \"Files\": [\n]}\n", "{ \"Files\": [\n],\n\"Manifest-Checksum\": \"\"}\n",
        "{ \"Files\": [\n],\n\"Manifest-Checksum\": \"00\"}\n",
        "{ \"Path\": \"\(String(repeating: "x", count: 70_000))\n",
    ])
    func `a manifest without a checksum, or with a line without an end, is refused`(text: String) {
        #expect(throws: ManifestError.self) { try check([Array(text.utf8)[...]]) }
    }

    /// Runs a base backup of the one file through the pipe.
    private func receive(_ manifest: [UInt8]) async throws {
        let pipe = EncodePipe(
            chain: CodecChain([]), format: .standard,
            targets: [UploadTarget(name: "memory", backend: MemoryBackend())], cryptography: cryptography,
            binding: .backup(id: "id"), keyPrefix: "primary/backup/20250101000000/", workers: 1)
        let plan = BackupPlan(
            server: "primary", connection: ConnectionSettings(), compression: nil, encryption: nil, workers: 1,
            manifestChecksums: "CRC32C", cryptography: cryptography, version: "0.1.0",
            taker: LeaseTaker(host: "lab", process: 1, clock: { 0 }), clock: { 0 })
        let archive = archive
        try await onPool {
            try await pipe.run {
                let streams = BackupStreams(
                    pipe: pipe, plan: plan, started: Mailbox(), progress: ProgressCounter(activity: ""))
                try await streams.archiveStarted(.base)
                try await streams.archiveBytes(unsafe archive.span.bytes)
                try await streams.archiveEnded()
                try await streams.manifestBytes(unsafe manifest.span.bytes)
                _ = try await streams.finishManifest()
            }
        }
    }

    @Test func `a backup fails when its manifest was changed on the way`() async throws {
        let manifest = try manifest()
        var altered = manifest
        let place = try #require(altered.firstRange(of: Array("0/2000120".utf8)))
        altered[place.lowerBound + 2] ^= 0x01

        try await receive(manifest)
        let error = await #expect(throws: EngineError.self) { try await receive(altered) }

        #expect(error?.reason == .manifestMismatch)
        #expect(error?.summary.contains("its own checksum") == true)
    }
}
