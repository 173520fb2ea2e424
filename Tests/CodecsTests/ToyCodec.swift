import BackupAPI

/// A codec that only adds a length and a checksum, and has at most one defect.
struct ToyCodec: Codec, ObjectCodec {
    /// What may be wrong with it.
    enum Defect: Sendable {
        case losesTheLastByte, forgetsSmallBuffers, saysFailedWhenTooLarge, acceptsTruncation, finishesAnyTime,
            acceptsDamage
        case acceptsTrailingBytes
    }

    /// Magic, length and checksum.
    static let headByteCount = 9

    let defect: Defect?

    var name: String { "toy" }
    var suffix: String { ".toy" }
    var parameters: [String: String] { [:] }
    var header: [UInt8] { [] }

    func maximumEncodedByteCount(forPlain byteCount: Int) -> Int { byteCount + Self.headByteCount }
    func beginObject(_ identity: ObjectIdentity) -> any ObjectCodec { self }
    func openObject(_ identity: ObjectIdentity, header: [UInt8]) throws(CodecError) -> any ObjectCodec {
        guard header.isEmpty else { throw CodecError(.damaged, codec: name) }
        return self
    }
    func makeStreamDecoder(_ identity: ObjectIdentity?) -> any StreamDecoder { ToyStream(codec: self) }
    func makeEncoder() -> any FrameEncoder { ToyFrames(codec: self) }
    func makeDecoder() -> any FrameDecoder { ToyFrames(codec: self) }

    /// FNV-1a over the bytes.
    func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        bytes.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }

    /// Four bytes, lowest first.
    func bytes(_ number: UInt32) -> [UInt8] { [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: number >> $0) } }

    /// The number of four bytes, lowest first.
    func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) } }

    /// The plain bytes of the frame at the front of `stored`, and its length; nil when it is not complete.
    func takeFrame(_ stored: ArraySlice<UInt8>) throws(CodecError) -> (plain: ArraySlice<UInt8>, count: Int)? {
        if let first = stored.first, first != 0x54 { throw CodecError(.damaged, codec: name) }
        guard stored.count >= Self.headByteCount else { return nil }
        let length = Int(number(stored.dropFirst().prefix(4)))
        guard stored.count - Self.headByteCount >= length else { return nil }
        let plain = stored.dropFirst(Self.headByteCount).prefix(length)
        guard checksum(plain) == number(stored.dropFirst(5).prefix(4)) || defect == .acceptsDamage else {
            throw CodecError(.damaged, codec: name)
        }
        return (plain, Self.headByteCount + length)
    }
}

/// Encodes and decodes frames of a toy.
final class ToyFrames: FrameEncoder, FrameDecoder {
    private let codec: ToyCodec

    init(codec: ToyCodec) { self.codec = codec }

    func encode(_ plain: RawSpan, at position: FramePosition, into output: inout OutputRawSpan) {
        let bytes = unsafe plain.withUnsafeBytes { unsafe Array($0) }
        output.append([0x54] + codec.bytes(UInt32(bytes.count)) + codec.bytes(codec.checksum(bytes)) + bytes)
    }

    func decode(_ stored: RawSpan, at position: FramePosition, into output: inout OutputRawSpan) throws(CodecError) {
        let bytes = unsafe stored.withUnsafeBytes { unsafe Array($0) }
        guard let (plain, count) = try codec.takeFrame(bytes[...]) else {
            if codec.defect == .acceptsTruncation { return }
            throw CodecError(.truncated, codec: codec.name)
        }
        guard count == bytes.count || codec.defect == .acceptsTrailingBytes else {
            throw CodecError(.damaged, codec: codec.name)
        }
        guard plain.count <= output.freeCapacity else {
            throw CodecError(codec.defect == .saysFailedWhenTooLarge ? .failed : .tooLarge, codec: codec.name)
        }
        output.append(codec.defect == .losesTheLastByte ? plain.dropLast() : plain)
    }
}

/// Decodes a stream of a toy's frames.
final class ToyStream: StreamDecoder {
    private let codec: ToyCodec
    private var stored: [UInt8] = []
    private var plain: ArraySlice<UInt8> = []
    private var hasFrames = false

    init(codec: ToyCodec) { self.codec = codec }

    func decode(_ input: RawSpan, into output: inout OutputRawSpan) throws(CodecError) -> StreamStep {
        unsafe input.withUnsafeBytes { unsafe stored += $0 }
        while let (frame, count) = try codec.takeFrame(stored[...]) {
            plain += frame
            stored.removeFirst(count)
            hasFrames = true
        }
        let given = plain.prefix(output.freeCapacity)
        output.append(given)
        plain = codec.defect == .forgetsSmallBuffers ? [] : plain.dropFirst(given.count)
        return StreamStep(consumed: input.byteCount, hasMoreOutput: !plain.isEmpty)
    }

    func finish() throws(CodecError) {
        guard (stored.isEmpty && hasFrames) || codec.defect == .finishesAnyTime else {
            throw CodecError(.truncated, codec: codec.name)
        }
    }
}

extension OutputRawSpan {
    /// Appends bytes for which there is room.
    mutating func append(_ bytes: some Collection<UInt8>) {
        // Sound: only what was written is counted.
        unsafe withUnsafeMutableBytes { (buffer: UnsafeMutableRawBufferPointer, count: inout Int) in
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyBytes(from: bytes)
            count += bytes.count
        }
    }
}
