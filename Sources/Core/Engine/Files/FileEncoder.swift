import BackupAPI

/// Encodes a file frame by frame, several at once, in memory that does not grow.
struct FileEncoder {
    private static let frameByteCount = FrameFormat.standard.frameByteCount
    private let chain: CodecChain
    private let workers: Int
    private let progress: ProgressCounter

    init(codec: any Codec, workers: Int, progress: ProgressCounter) {
        chain = CodecChain([codec])
        self.workers = max(1, workers)
        self.progress = progress
    }

    func run(_ source: SourceFile, to draft: DraftFile) async throws {
        let identity = ObjectBinding.file.identity(key: nil, chain: chain, frameByteCount: Self.frameByteCount)
        let object = try chain.beginObject(identity)
        try draft.write(object.header)
        let encoders = try (0..<workers).map { _ in try object.makeEncoder(frameByteCount: Self.frameByteCount) }
        // One frame more than there are encoders is read ahead: only an end behind a frame tells that it is the last one.
        var free = (0...workers).map { _ in
            Frame(
                plainByteCount: Self.frameByteCount,
                storedByteCount: chain.maximumEncodedByteCount(forPlain: Self.frameByteCount))
        }
        var ahead = free.removeLast()
        try source.fill(ahead.plain)
        var number = 0
        var isEnd = false
        while !isEnd {
            var batch: [Frame] = []
            while batch.count < workers, !isEnd {
                let frame = ahead
                ahead = free.removeLast()
                try source.fill(ahead.plain)
                isEnd = ahead.plain.count == 0
                frame.position = FramePosition(index: number, isLast: isEnd)
                number += 1
                batch.append(frame)
                if isEnd { free.append(ahead) }
            }
            try await encode(batch, with: encoders)
            for frame in batch {
                try draft.write(frame.stored)
                progress.add(byteCount: frame.plain.count)
            }
            free += batch
            try Task.checkCancellation()
        }
    }

    /// Encodes each frame of a batch with an encoder of its own.
    private func encode(_ batch: [Frame], with encoders: [ChainEncoder]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (frame, encoder) in zip(batch, encoders.map(Worker.init)) {
                group.addTask { try encoder.encode(frame) }
            }
            while try await group.next() != nil {}
        }
    }

    /// One worker's encoder.
    private final class Worker: @unchecked Sendable {
        // Sound: of all tasks of a batch one uses the encoder, and the next batch begins when they have ended.
        private let encoder: ChainEncoder

        init(_ encoder: ChainEncoder) { self.encoder = encoder }

        func encode(_ frame: Frame) throws(CodecError) {
            try encoder.encode(frame.plain, at: frame.position, into: frame.stored)
        }
    }
}
