import BackupAPI
import Synchronization

/// One stored frame, as the index keeps it.
package struct StoredFrame: Sendable, Hashable {
    /// Stored bytes.
    package var byteCount: UInt32
    /// CRC-32C of the stored bytes.
    package var checksum: UInt32
}

/// One stored object of a backup.
package struct StoredObject: Sendable, Hashable, Codable {
    /// Its path below the backup's folder, as `backup.sha512` names it.
    package var path: String
    /// Stored bytes.
    package var bytes: Int
    /// Lower-case hexadecimal SHA-512 of the stored bytes; empty where the pipe was told not to compute it.
    package var sha512: String

    /// Makes an entry.
    package init(path: String, bytes: Int, sha512: String) {
        self.path = path
        self.bytes = bytes
        self.sha512 = sha512
    }
}

/// What a finished stream became.
package struct StreamReceipt: Sendable {
    /// Its frames in order.
    package var frames: [StoredFrame] = []
    /// Its volumes in order.
    package var volumes: [StoredObject] = []
    /// Bytes of the header at the start of each volume.
    package var headerByteCount = 0
    /// Plain bytes.
    package var plainByteCount = 0
}

/// A run of plain bytes that becomes one or more objects on every target.
///
/// One task writes it. The bytes are cut into frames; the pipe's workers encode them in any order; the stream's own task
/// puts them in order again, hashes them, and hands them to each target's writer.
package final class FrameStream: @unchecked Sendable {
    // Sound: `current`, `nextNumber`, `object` and `plainByteCount` belong to the task that writes the stream.
    let framesPerVolume: Int
    let encoded = Mailbox<Frame>()
    private let pipe: EncodePipe
    private let path: @Sendable (Int) -> String
    private let receipt = Mailbox<StreamReceipt>()
    private var current: Frame?
    private var nextNumber = 0
    private var object: ChainObject?
    private var plainByteCount = 0

    init(pipe: EncodePipe, framesPerVolume: Int?, path: @escaping @Sendable (Int) -> String) {
        self.pipe = pipe
        self.framesPerVolume = framesPerVolume ?? Int.max
        self.path = path
    }

    /// Plain bytes written so far: the offset of the next byte.
    package var position: Int { plainByteCount }

    /// Appends bytes; waits while the pipe is full.
    package func write(_ bytes: RawSpan) async throws {
        var offset = 0
        while offset < bytes.byteCount {
            let frame = try await roomyFrame()
            let taken = frame.plain.append(bytes, from: offset)
            offset += taken
            plainByteCount += taken
        }
    }

    /// Appends bytes; waits while the pipe is full.
    package func write(_ bytes: [UInt8]) async throws {
        // Sound: the span does not outlive the call.
        try await write(unsafe bytes.span.bytes)
    }

    /// Ends the stream and waits until every target has committed its volumes or has failed.
    package func finish() async throws -> StreamReceipt {
        let last = try await roomyFrame(allowsFull: true)
        try submit(last, isStreamEnd: true)
        current = nil
        guard var done = try await receipt.next() else { throw CancellationError() }
        done.plainByteCount = plainByteCount
        return done
    }

    /// The frame that takes the next byte. A full one is submitted only when a byte behind it is known to come, so that the
    /// last frame of a volume can be marked.
    private func roomyFrame(allowsFull: Bool = false) async throws -> Frame {
        if let current, allowsFull || current.plain.room > 0 { return current }
        if let current {
            try submit(current, isStreamEnd: false)
            self.current = nil
        }
        guard let frame = try await pipe.freeFrames.next() else { throw CancellationError() }
        frame.plain.clear()
        current = frame
        return frame
    }

    private func submit(_ frame: Frame, isStreamEnd: Bool) throws {
        let index = nextNumber % framesPerVolume
        if index == 0 {
            let identity = pipe.binding.identity(
                key: try pipe.key(path(nextNumber / framesPerVolume)), chain: pipe.chain,
                frameByteCount: pipe.format.frameByteCount)
            object = try pipe.chain.beginObject(identity)
        }
        frame.stream = self
        frame.object = object
        frame.number = nextNumber
        frame.position = FramePosition(index: index, isLast: isStreamEnd || index == framesPerVolume - 1)
        nextNumber += 1
        let end = isStreamEnd ? nextNumber : nil
        if let end { frameCount.withLock { $0 = end } }
        pipe.submit(frame)
    }

    private let frameCount = Mutex<Int?>(nil)

    /// Runs the stream's later stages until its last frame is stored.
    func run() async throws {
        let writers = pipe.targets.map {
            TargetWriter(target: $0, pipe: pipe, path: path, framesPerVolume: framesPerVolume)
        }
        do {
            let done = try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in writers {
                    group.addTask {
                        do {
                            try await writer.run()
                        } catch {
                            // Without a writer no frame comes back, and `sequence` would wait for ever.
                            self.encoded.fail(error)
                            throw error
                        }
                    }
                }
                let done = try await sequence(to: writers)
                for writer in writers { writer.frames.finish() }
                while try await group.next() != nil {}
                return done
            }
            try pipe.targets.requireOneComplete()
            receipt.send(done)
        } catch {
            for writer in writers { writer.frames.fail(error) }
            receipt.fail(error)
            throw error
        }
    }

    /// Puts frames in order, hashes each volume, and passes them on.
    private func sequence(to writers: [TargetWriter]) async throws -> StreamReceipt {
        var done = StreamReceipt()
        var early: [Int: Frame] = [:]
        var next = 0
        var digest: (any Digest)?
        let isDigested = pipe.digestsObjects
        var volumeByteCount = 0
        while frameCount.withLock({ $0 }) != next {
            guard let arrived = try await encoded.next() else { break }
            early[arrived.number] = arrived
            while let frame = early.removeValue(forKey: next) {
                next += 1
                if frame.position.index == 0 {
                    let header = frame.object?.header ?? []
                    digest = isDigested ? pipe.cryptography.makeDigest(.sha512) : nil
                    digest?.update(unsafe header.span.bytes)
                    done.headerByteCount = header.count
                    volumeByteCount = header.count
                }
                frame.stored.withBytes { digest?.update($0) }
                volumeByteCount += frame.stored.count
                done.frames.append(StoredFrame(byteCount: UInt32(frame.stored.count), checksum: frame.storedChecksum))
                if frame.position.isLast {
                    done.volumes.append(
                        StoredObject(
                            path: path(frame.number / framesPerVolume), bytes: volumeByteCount,
                            sha512: digest.map { hexadecimal($0.finish()) } ?? ""))
                }
                frame.share(with: writers.count)
                for writer in writers { writer.frames.send(frame) }
            }
        }
        return done
    }
}
