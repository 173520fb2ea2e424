internal import BackupAPI

/// Encodes and decodes for the checks: whole arrays, with a guard behind each output.
struct CodecConformanceBench {
    /// An object as it is stored, with what it was made of.
    struct StoredObject {
        let identity: ObjectIdentity
        let header: [UInt8]
        var frames: [[UInt8]]
        let plains: [[UInt8]]

        /// The whole object.
        var bytes: [UInt8] { frames.reduce(header, +) }
        /// All that decoding must give.
        var plain: [UInt8] { plains.reduce([], +) }

        /// Where a frame stands.
        func position(_ index: Int) -> FramePosition {
            FramePosition(index: index, isLast: index == plains.count - 1)
        }
    }

    private static let guardByteCount = 64
    private static let guardByte: UInt8 = 0xA5

    let codec: any Codec
    let frameByteCount: Int

    /// Names the object that checks work with.
    func identity(repository: String = "conformance", key: String = "a/b.001", chain: String = "c") -> ObjectIdentity {
        ObjectIdentity(repository: repository, key: key, chain: chain, frameByteCount: frameByteCount)
    }

    /// Encodes an object, frame by frame.
    func store(_ plains: [[UInt8]], key: String = "a/b.001") throws -> StoredObject {
        let identity = identity(key: key)
        let object = try codec.beginObject(identity)
        let encoder = try object.makeEncoder()
        var stored = StoredObject(identity: identity, header: object.header, frames: [], plains: plains)
        for (index, plain) in plains.enumerated() {
            stored.frames.append(try encode(plain, at: stored.position(index), with: encoder))
        }
        return stored
    }

    /// Makes a decoder of a stored object's frames.
    func decoder(of stored: StoredObject) throws -> any FrameDecoder {
        try codec.openObject(stored.identity, header: stored.header).makeDecoder()
    }

    /// Encodes one frame into as much room as the codec asks for.
    func encode(_ plain: [UInt8], at position: FramePosition, with encoder: any FrameEncoder) throws -> [UInt8] {
        try output(room: codec.maximumEncodedByteCount(forPlain: plain.count)) {
            (output: inout OutputRawSpan) throws(CodecError) in
            try unsafe encoder.encode(plain.span.bytes, at: position, into: &output)
        }
    }

    /// Decodes one frame into `room` bytes.
    func decode(
        _ frame: [UInt8], at position: FramePosition, with decoder: any FrameDecoder, room: Int
    ) throws -> [UInt8] {
        try output(room: room) { (output: inout OutputRawSpan) throws(CodecError) in
            try unsafe decoder.decode(frame.span.bytes, at: position, into: &output)
        }
    }

    /// Decodes a whole stream, giving and taking at most so many bytes at once.
    func readStream(_ bytes: [UInt8], inputStep: Int, room: Int, identity: ObjectIdentity?) throws -> [UInt8] {
        let decoder = try codec.makeStreamDecoder(identity)
        var plain: [UInt8] = []
        var consumed = 0
        var idleSteps = 0
        var hasMoreOutput = false
        while consumed < bytes.count || hasMoreOutput {
            let input = Array(bytes[consumed..<min(consumed + inputStep, bytes.count)])
            var step = StreamStep(consumed: 0, hasMoreOutput: false)
            let piece = try output(room: room) { (output: inout OutputRawSpan) throws(CodecError) in
                step = try unsafe decoder.decode(input.span.bytes, into: &output)
            }
            guard (0...input.count).contains(step.consumed) else {
                throw CodecConformanceBroken(words: "a stream decoder took \(step.consumed) of \(input.count) bytes")
            }
            consumed += step.consumed
            hasMoreOutput = step.hasMoreOutput
            plain += piece
            idleSteps = step.consumed == 0 && piece.isEmpty ? idleSteps + 1 : 0
            guard idleSteps < 3 else { throw CodecConformanceBroken(words: "a stream decoder stands still") }
        }
        try decoder.finish()
        return plain
    }

    /// Runs `body` with `room` bytes of output and gives what it appended.
    private func output(room: Int, _ body: (inout OutputRawSpan) throws(CodecError) -> Void) throws -> [UInt8] {
        // Sound: the buffer outlives the span, and only bytes that the span calls initialized are given out.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room + Self.guardByteCount, alignment: 16)
        defer { unsafe buffer.deallocate() }
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[room...])
            .initializeMemory(as: UInt8.self, repeating: Self.guardByte)
        let given = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<room])
        var span = unsafe OutputRawSpan(buffer: given, initializedCount: 0)
        var failure: CodecError?
        do throws(CodecError) { try body(&span) } catch { failure = error }
        let count = unsafe span.finalize(for: given)
        let guardIsWhole = unsafe buffer[room...].allSatisfy { $0 == Self.guardByte }
        guard guardIsWhole else { throw CodecConformanceBroken(words: "bytes were written behind the room") }
        if let failure { throw failure }
        return unsafe Array(given[..<count])
    }
}
