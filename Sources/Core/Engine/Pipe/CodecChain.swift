package import BackupAPI

/// The codecs of an object in the order of encoding: a compression, an encryption, both or none.
package struct CodecChain: Sendable {
    /// In the order of encoding.
    package let codecs: [any Codec]

    /// Makes a chain.
    package init(_ codecs: [any Codec]) { self.codecs = codecs }

    /// The recorded name: the codecs' names joined by `+`, or `none`.
    package var name: String { codecs.isEmpty ? "none" : codecs.map(\.name).joined(separator: "+") }

    /// What is added to an object's name, such as `.zstd.aes`.
    package var suffix: String { codecs.map(\.suffix).joined() }

    /// Most bytes that a frame of `byteCount` plain bytes can become.
    package func maximumEncodedByteCount(forPlain byteCount: Int) -> Int {
        codecs.reduce(byteCount) { $1.maximumEncodedByteCount(forPlain: $0) }
    }

    /// Begins a new object.
    package func beginObject(_ identity: ObjectIdentity) throws(CodecError) -> ChainObject {
        var objects: [any ObjectCodec] = []
        for codec in codecs { objects.append(try codec.beginObject(identity)) }
        return ChainObject(chain: self, objects: objects)
    }

    /// Reopens a stored object from the header at its start.
    package func openObject(_ identity: ObjectIdentity, header: [UInt8]) throws(CodecError) -> ChainObject {
        var objects: [any ObjectCodec] = []
        for (index, codec) in codecs.enumerated() {
            // Only the outermost codec's header stands in the clear at the start; compressions have none.
            objects.append(try codec.openObject(identity, header: index == codecs.count - 1 ? header : []))
        }
        return ChainObject(chain: self, objects: objects)
    }
}

/// One object being encoded or decoded by a chain. Shared by all workers.
package struct ChainObject: Sendable {
    package let chain: CodecChain
    fileprivate let objects: [any ObjectCodec]

    /// The bytes at the very start of the object.
    package var header: [UInt8] { objects.last?.header ?? [] }

    /// Makes one worker's encoder.
    package func makeEncoder(frameByteCount: Int) throws(CodecError) -> ChainEncoder {
        var encoders: [any FrameEncoder] = []
        for object in objects { encoders.append(try object.makeEncoder()) }
        return ChainEncoder(encoders, scratchByteCount: ChainObject.scratch(chain, frameByteCount))
    }

    /// Makes one worker's decoder.
    package func makeDecoder(frameByteCount: Int) throws(CodecError) -> ChainDecoder {
        var decoders: [any FrameDecoder] = []
        for object in objects { decoders.append(try object.makeDecoder()) }
        return ChainDecoder(decoders, scratchByteCount: ChainObject.scratch(chain, frameByteCount))
    }

    /// Room for what passes between two codecs; none is needed for a single one.
    private static func scratch(_ chain: CodecChain, _ frameByteCount: Int) -> Int {
        guard chain.codecs.count > 1 else { return 0 }
        return CodecChain(Array(chain.codecs.dropLast())).maximumEncodedByteCount(forPlain: frameByteCount)
    }
}

/// One worker's encoder of one object.
package final class ChainEncoder {
    private let encoders: [any FrameEncoder]
    private let scratch: FrameBuffer

    fileprivate init(_ encoders: [any FrameEncoder], scratchByteCount: Int) {
        self.encoders = encoders
        scratch = FrameBuffer(capacity: scratchByteCount)
    }

    /// Replaces the bytes of `stored` with the encoded frame.
    package func encode(
        _ plain: FrameBuffer, at position: FramePosition, into stored: FrameBuffer
    ) throws(CodecError) {
        stored.clear()
        switch encoders.count {
        case 0: plain.withBytes { bytes in _ = stored.append(bytes, from: 0) }
        case 1: try ChainEncoder.step(encoders[0], plain, position, stored)
        default:
            scratch.clear()
            try ChainEncoder.step(encoders[0], plain, position, scratch)
            try ChainEncoder.step(encoders[1], scratch, position, stored)
        }
    }

    private static func step(
        _ encoder: any FrameEncoder, _ input: FrameBuffer, _ position: FramePosition, _ output: FrameBuffer
    ) throws(CodecError) {
        try input.withBytes { (bytes: RawSpan) throws(CodecError) in
            try output.fill { (room: inout OutputRawSpan) throws(CodecError) in
                try encoder.encode(bytes, at: position, into: &room)
            }
        }
    }
}

/// One worker's decoder of one object.
package final class ChainDecoder {
    private let decoders: [any FrameDecoder]
    private let scratch: FrameBuffer

    fileprivate init(_ decoders: [any FrameDecoder], scratchByteCount: Int) {
        self.decoders = decoders
        scratch = FrameBuffer(capacity: scratchByteCount)
    }

    /// Replaces the bytes of `plain` with the decoded frame.
    package func decode(
        _ stored: RawSpan, at position: FramePosition, into plain: FrameBuffer
    ) throws(CodecError) {
        plain.clear()
        switch decoders.count {
        case 0:
            guard plain.append(stored, from: 0) == stored.byteCount else { throw CodecError(.tooLarge, codec: "none") }
        case 1: try ChainDecoder.step(decoders[0], stored, position, plain)
        default:
            scratch.clear()
            try ChainDecoder.step(decoders[1], stored, position, scratch)
            try scratch.withBytes { (bytes: RawSpan) throws(CodecError) in
                try ChainDecoder.step(decoders[0], bytes, position, plain)
            }
        }
    }

    private static func step(
        _ decoder: any FrameDecoder, _ input: RawSpan, _ position: FramePosition, _ output: FrameBuffer
    ) throws(CodecError) {
        try output.fill { (room: inout OutputRawSpan) throws(CodecError) in
            try decoder.decode(input, at: position, into: &room)
        }
    }
}
