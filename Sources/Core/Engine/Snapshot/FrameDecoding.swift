import BackupAPI

/// One worker's decoding.
final class FrameDecoding {
    private struct VolumeDecoder {
        let part: Int
        let volume: Int
        let decoder: ChainDecoder
    }

    private let mostDecoders: Int
    private let visit: @Sendable (Int, Int, FrameBuffer) async throws -> Void
    private let damaged: @Sendable (EngineError) throws -> Void
    /// Those used last, the last one behind.
    private var decoders: [VolumeDecoder] = []

    /// - Parameter mostDecoders: of how many volumes frames come in turns.
    init(
        mostDecoders: Int, visit: @escaping @Sendable (Int, Int, FrameBuffer) async throws -> Void,
        damaged: @escaping @Sendable (EngineError) throws -> Void
    ) {
        self.mostDecoders = mostDecoders
        self.visit = visit
        self.damaged = damaged
    }

    /// Decodes a frame and hands it out.
    func run(_ fetched: FrameFetch.Fetched) async throws {
        do {
            try decode(fetched)
        } catch let error as CodecError {
            return try damaged(fetched.plan.damage(of: fetched.number, error.summary))
        } catch let error as EngineError {
            return try damaged(error)
        }
        try await visit(fetched.part, fetched.number, fetched.frame.plain)
    }

    private func decode(_ fetched: FrameFetch.Fetched) throws {
        let (plan, frame) = (fetched.plan, fetched.frame)
        guard frame.stored.checksum == plan.archive.frames[fetched.number].checksum else {
            throw plan.damage(of: fetched.number, "the stored bytes are not those that were written")
        }
        let decoder = try decoder(for: fetched)
        try frame.stored.withBytes { (stored: RawSpan) throws(CodecError) in
            try decoder.decode(stored, at: frame.position, into: frame.plain)
        }
        guard frame.plain.count == plan.plainByteCount(of: fetched.number) else {
            throw plan.damage(of: fetched.number, "it holds \(frame.plain.count) bytes")
        }
    }

    private func decoder(for fetched: FrameFetch.Fetched) throws -> ChainDecoder {
        let volume = fetched.plan.volume(of: fetched.number)
        if let index = decoders.lastIndex(where: { $0.part == fetched.part && $0.volume == volume }) {
            let found = decoders.remove(at: index)
            decoders.append(found)
            return found.decoder
        }
        guard let object = fetched.frame.object else {
            throw fetched.plan.damage(of: fetched.number, "its volume was not opened")
        }
        let decoder = try object.makeDecoder(frameByteCount: fetched.plan.record.frames.frameByteCount)
        if decoders.count == mostDecoders { decoders.removeFirst() }
        decoders.append(VolumeDecoder(part: fetched.part, volume: volume, decoder: decoder))
        return decoder
    }
}
