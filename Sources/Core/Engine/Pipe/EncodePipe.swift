package import BackupAPI
import Synchronization

/// How streams are cut and encoded; recorded with every backup.
package struct FrameFormat: Sendable, Hashable, Codable {
    /// Plain bytes in each frame but a stream's last.
    package var frameByteCount: Int
    /// Frames in each volume but a stream's last.
    package var framesPerVolume: Int

    /// 1 MiB frames, and 256 MiB of plain bytes a volume: small enough that two processors share the volumes of a backup evenly when each is read
    /// and hashed on its own, and large enough that a database of 1 TB is stored in a few thousand objects.
    package static let standard = FrameFormat(frameByteCount: 1 << 20, framesPerVolume: 256)

    /// Makes a format.
    package init(frameByteCount: Int, framesPerVolume: Int) {
        self.frameByteCount = frameByteCount
        self.framesPerVolume = framesPerVolume
    }
}

/// Where a task leaves what it made.
private final class Outcome<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
}

/// The shared middle of a backup: frames of all streams are encoded here, by all workers, in parallel.
///
/// The number of frames is fixed. A producer waits for a free one, so nothing is read from PostgreSQL faster than it can be
/// encoded and stored.
package final class EncodePipe: Sendable {
    package let chain: CodecChain
    package let format: FrameFormat
    package let targets: [UploadTarget]
    package let cryptography: any Cryptography
    /// What encrypted objects are bound to.
    package let binding: ObjectBinding
    /// What the keys of all objects begin with.
    package let keyPrefix: String
    let freeFrames = Mailbox<Frame>()
    private let queue = Mailbox<Frame>()
    private let newStreams = Mailbox<FrameStream>()
    private let firstFailure = Mutex<(any Error)?>(nil)
    /// Whether an object that is there already is a fault.
    let createsOnly: Bool
    /// Whether the SHA-512 of each object is computed.
    let digestsObjects: Bool
    private let workers: Int

    /// Makes a pipe with memory for `workers` × 2 + 4 frames.
    package init(
        chain: CodecChain, format: FrameFormat, targets: [UploadTarget], cryptography: any Cryptography,
        binding: ObjectBinding, keyPrefix: String, workers: Int, createsOnly: Bool = false,
        digestsObjects: Bool = true
    ) {
        self.chain = chain
        self.format = format
        self.targets = targets
        self.cryptography = cryptography
        self.binding = binding
        self.createsOnly = createsOnly
        self.digestsObjects = digestsObjects
        self.keyPrefix = keyPrefix
        self.workers = workers
        let storedByteCount = chain.maximumEncodedByteCount(forPlain: format.frameByteCount)
        for _ in 0..<workers * 2 + 4 {
            freeFrames.send(Frame(plainByteCount: format.frameByteCount, storedByteCount: storedByteCount))
        }
    }

    /// Runs the pipe while `produce` fills streams of it.
    /// - Throws: the first error of any stage, after all stages have ended.
    package func run<Result: Sendable>(_ produce: @escaping @Sendable () async throws -> Result) async throws -> Result
    {
        let result = Outcome<Result>()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<workers { group.addTask { await self.guarded { try await self.encodeLoop() } } }
            group.addTask {
                await self.guarded {
                    let value = try await produce()
                    result.value.withLock { $0 = value }
                }
                self.newStreams.finish()
            }
            group.addTask {
                await self.guarded { try await self.runStreams() }
                self.queue.finish()
            }
            for await _ in group where firstFailure.withLock({ $0 != nil }) { group.cancelAll() }
        }
        if let error = firstFailure.withLock({ $0 }) { throw error }
        guard let value = result.value.withLock({ $0.take() }) else { throw CancellationError() }
        return value
    }

    /// Begins a stream whose volumes have the paths that `path` gives, below the key prefix.
    /// - Parameter framesPerVolume: nil for a stream that is always one object.
    package func beginStream(
        framesPerVolume: Int?, path: @escaping @Sendable (_ volume: Int) -> String
    ) -> FrameStream {
        let stream = FrameStream(pipe: self, framesPerVolume: framesPerVolume, path: path)
        newStreams.send(stream)
        return stream
    }

    func key(_ path: String) throws(StorageError) -> ObjectKey { try ObjectKey(keyPrefix + path) }

    func submit(_ frame: Frame) { queue.send(frame) }

    func recycle(_ frame: Frame) {
        frame.stream = nil
        frame.object = nil
        freeFrames.send(frame)
    }

    /// Ends every stage with the first error.
    private func guarded(_ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            firstFailure.withLock { if $0 == nil { $0 = error } }
            freeFrames.fail(error)
            queue.fail(error)
            newStreams.fail(error)
        }
    }

    private func runStreams() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            while let stream = try await newStreams.next() {
                group.addTask { await self.guarded { try await stream.run() } }
            }
        }
    }

    private func encodeLoop() async throws {
        // The stream is held, not only its identity: another one could come to stand at the same address.
        var current: (stream: FrameStream, volume: Int, encoder: ChainEncoder)?
        while let frame = try await queue.next() {
            guard let stream = frame.stream, let object = frame.object else { continue }
            let volume = frame.number / stream.framesPerVolume
            if current?.stream !== stream || current?.volume != volume {
                current = (stream, volume, try object.makeEncoder(frameByteCount: format.frameByteCount))
            }
            try current?.encoder.encode(frame.plain, at: frame.position, into: frame.stored)
            frame.storedChecksum = frame.stored.checksum
            stream.encoded.send(frame)
        }
    }
}
