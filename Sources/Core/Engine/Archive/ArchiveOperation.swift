package import BackupAPI
import Synchronization

/// Where an archive of a backup goes, and in what form.
package struct ArchiveDestination: Sendable {
    /// Where it goes.
    package var backend: any StorageBackend
    /// The chain that the tar file is encoded with.
    package var codecs: CodecChain
    /// Whether an object of its name is replaced.
    package var replaces: Bool

    /// Makes a destination.
    package init(backend: any StorageBackend, codecs: CodecChain, replaces: Bool) {
        self.backend = backend
        self.codecs = codecs
        self.replaces = replaces
    }
}

/// Makes one tar file of a backup, with what it needs of its parents: the tree that a restore would write, with its manifest.
///
/// Nothing is staged. A stretch of the tar file is gathered in memory while the one before is encoded and stored.
package struct ArchiveOperation: Sendable {
    /// What became of it.
    package struct Outcome: Sendable {
        /// The name of the object.
        package let name: String
        /// Bytes of the object.
        package let storedByteCount: Int
        /// Bytes of the tar file.
        package let plainByteCount: Int
    }

    private static let stretchByteCount = 12 << 20
    /// A tar file ends with two blocks of zeros, and is a multiple of 20 blocks (POSIX, "ustar Interchange Format").
    private static let recordByteCount = 20 * 512

    private let chain: BackupChain
    private let destination: ArchiveDestination
    private let cryptography: any Cryptography
    private let progress: ProgressCounter

    package init(
        chain: BackupChain, destination: ArchiveDestination, cryptography: any Cryptography, progress: ProgressCounter
    ) {
        self.chain = chain
        self.destination = destination
        self.cryptography = cryptography
        self.progress = progress
    }

    /// The folder in the tar file, and what its own name begins with.
    private var folderName: String { "\(chain.newest.record.server)-\(chain.newest.record.label)" }

    /// Makes the archive. When it returns, the object is complete, and as durable as its place promises.
    ///
    /// - Throws: damage that was found, by name; `StorageError` of either place: `.alreadyExists` when there is such an object
    ///   and it is not to be replaced. Then there is no new object, but what went to a stream is gone.
    package func run() async throws -> Outcome {
        let name = "\(folderName).tar\(destination.codecs.suffix)"
        let key = try ObjectKey(name)
        if !destination.replaces { try await requireAbsent(key) }
        let snapshot = try await chain.snapshot()
        let target = UploadTarget(name: destination.backend.displayName, backend: destination.backend)
        let pipe = EncodePipe(
            chain: destination.codecs, format: .standard, targets: [target], cryptography: cryptography,
            binding: .file, keyPrefix: "", workers: chain.newest.frames.workers, createsOnly: !destination.replaces,
            digestsObjects: false)
        let receipt = try await pipe.run {
            let stream = pipe.beginStream(framesPerVolume: nil) { _ in name }
            try await write(snapshot, to: stream)
            return try await stream.finish()
        }
        return Outcome(
            name: name, storedByteCount: receipt.volumes.reduce(0) { $0 + $1.bytes },
            plainByteCount: receipt.plainByteCount)
    }

    private func requireAbsent(_ key: ObjectKey) async throws {
        do throws(StorageError) {
            _ = try await destination.backend.stat(key)
        } catch {
            guard error.reason == .notFound else { throw error }
            return
        }
        throw StorageError(
            .alreadyExists, operation: .write, key: key.string, target: destination.backend.displayName,
            remedy: "Use --force to replace it, or another directory.")
    }

    private func write(_ snapshot: Snapshot, to stream: FrameStream) async throws {
        let layout = TarLayout(snapshot, folderName: folderName)
        progress.setTotal(byteCount: layout.byteCount)
        let checksums = Checksums(count: snapshot.files.count)
        let checks = FileChecks(
            snapshot: snapshot, damaged: { throw $0 }, proven: { checksums.set($1, ofFile: $0) })
        try checks.judgeEmptyFiles()
        for index in snapshot.files.indices { try checks.noteLiteral(ofFile: index) }
        try await gather(snapshot, layout, checks, to: stream)
        try await writeManifest(of: snapshot, layout, checksums.all, to: stream)
        let end = 2 * 512
        let record = Self.recordByteCount
        let fill = (record - (stream.position + end) % record) % record
        try await stream.write([UInt8](repeating: 0, count: end + fill))
    }

    /// Gathers one stretch while the one before is written.
    private func gather(
        _ snapshot: Snapshot, _ layout: TarLayout, _ checks: FileChecks, to stream: FrameStream
    ) async throws {
        let (free, filled) = (Mailbox<TarWindow>(), Mailbox<TarWindow>())
        for _ in 0..<2 { free.send(TarWindow(byteCount: Self.stretchByteCount)) }
        let stretches = try TarStretches(snapshot, layout: layout, stretchByteCount: Self.stretchByteCount)
        var files = snapshot
        files.parts = []
        try await withThrowingTaskGroup(of: Void.self) { [files] group in
            group.addTask {
                var stretches = stretches
                let walk = SnapshotWalk(frames: chain.newest.frames)
                while let (range, parts) = stretches.next() {
                    guard let window = try await free.next() else { throw CancellationError() }
                    window.begin(range, of: layout, files)
                    try await walk.run(parts, into: TarSink(layout: layout, window: window), checks: checks) {
                        throw $0
                    }
                    filled.send(window)
                }
                filled.finish()
            }
            group.addTask {
                while let window = try await filled.next() {
                    try await window.withBytes { try await stream.write($0) }
                    progress.add(byteCount: window.range.count)
                    free.send(window)
                }
            }
            while try await group.next() != nil {}
        }
    }

    /// The manifest is the last file: that of a chain is made of all files' checksums. It is gone through twice, because a header
    /// tells its size.
    private func writeManifest(
        of snapshot: Snapshot, _ layout: TarLayout, _ checksums: [UInt32], to stream: FrameStream
    ) async throws {
        var byteCount = 0
        try await chain.manifest(of: snapshot, checksums: checksums, cryptography) { byteCount += $0.byteCount }
        try await stream.write(layout.manifestHeader(byteCount: byteCount))
        try await chain.manifest(of: snapshot, checksums: checksums, cryptography) { try await stream.write($0) }
        try await stream.write(TarHeader.padding(behind: byteCount))
    }
}

/// CRC-32C of each file, as it was proven.
private final class Checksums: Sendable {
    private let checksums: Mutex<[UInt32]>

    init(count: Int) { checksums = Mutex(Array(repeating: 0, count: count)) }

    var all: [UInt32] { checksums.withLock { $0 } }

    func set(_ checksum: UInt32, ofFile file: Int) { checksums.withLock { $0[file] = checksum } }
}
