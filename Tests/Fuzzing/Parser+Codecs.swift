import BackupAPI
import Codecs

extension Parser {
    /// Stored objects and files, through every codec: as a stream, and frame by frame.
    static let codecs: [Parser] = StandardCodecs.registry.factories.map { factory in
        Parser(name: factory.name) { bytes in
            var keys = KeyRing()
            keys.add(id: "k", key: Secret([UInt8](repeating: 7, count: 32)), isCurrent: true)
            guard let codec = try? factory.make(nil, keys) else { fatalError("\(factory.name) cannot be made") }
            decodeStream(bytes, codec)
            decodeFrame(bytes, codec)
            if factory.name.hasPrefix("aes-") { decodeAltered(bytes, codec) }
        }
    }

    /// At most so many plain bytes are asked for: a bomb is legal in a stream.
    private static let limit = 1 << 20

    private static func decodeStream(_ bytes: [UInt8], _ codec: any Codec) {
        guard let decoder = try? codec.makeStreamDecoder(nil) else { return }
        var offset = 0
        var total = 0
        do {
            while total < limit {
                var room = [UInt8](repeating: 0, count: 4096)
                let step = try unsafe room.withUnsafeMutableBytes { memory throws in
                    var output = unsafe OutputRawSpan(buffer: memory, initializedCount: 0)
                    let step = try unsafe decoder.decode(
                        bytes.span.bytes.extracting(offset..<bytes.count), into: &output)
                    total += output.byteCount
                    return (step, output.byteCount)
                }
                offset += step.0.consumed
                Parser.require(offset <= bytes.count, "a decoder took more than there is")
                if offset == bytes.count && !step.0.hasMoreOutput { break }
                Parser.require(step.0.consumed > 0 || step.1 > 0, "a decoder makes no progress")
            }
            try decoder.finish()
        } catch {}
    }

    private static func decodeFrame(_ bytes: [UInt8], _ codec: any Codec) {
        let identity = ObjectIdentity(repository: "file", key: "x", chain: codec.name, frameByteCount: 65_536)
        let headerCount = (try? codec.beginObject(identity).header.count) ?? 0
        guard bytes.count >= headerCount,
            let object = try? codec.openObject(identity, header: Array(bytes[..<headerCount])),
            let decoder = try? object.makeDecoder()
        else { return }
        _ = try? written(65_536) { output in
            try unsafe decoder.decode(
                bytes.span.bytes.extracting(headerCount..<bytes.count), at: FramePosition(index: 0, isLast: true),
                into: &output)
        }
    }

    /// An encrypted object of two frames, where the input says which bytes are changed: where it is read, it is what was written.
    private static func decodeAltered(_ changes: [UInt8], _ codec: any Codec) {
        let frames: [[UInt8]] = [Array(0..<64), Array(64..<100)]
        let identity = ObjectIdentity(repository: "r", key: "k", chain: codec.name, frameByteCount: 64)
        do {
            let object = try codec.beginObject(identity)
            let encoder = try object.makeEncoder()
            var parts = [object.header]
            for (index, frame) in frames.enumerated() {
                let position = FramePosition(index: index, isLast: index == 1)
                parts.append(
                    try written(codec.maximumEncodedByteCount(forPlain: frame.count)) { output in
                        try encoder.encode(unsafe frame.span.bytes, at: position, into: &output)
                    })
            }
            let stored = parts
            // Three bytes each: a part, a place in it, and what is changed there.
            for start in stride(from: 0, to: changes.count - 2, by: 3) {
                let part = Int(changes[start]) % parts.count
                parts[part][Int(changes[start + 1]) % parts[part].count] ^= changes[start + 2]
            }
            let read = try? decoded(parts, identity, codec)
            if parts == stored {
                Parser.require(read == frames, "what nobody altered is not read")
            } else {
                Parser.require(read == nil, "an altered object was decrypted")
            }
        } catch {
            fatalError("\(codec.name): \(error)")
        }
    }

    /// The frames of an object of a header and two frames.
    private static func decoded(
        _ parts: [[UInt8]], _ identity: ObjectIdentity, _ codec: any Codec
    ) throws -> [[UInt8]] {
        let decoder = try codec.openObject(identity, header: parts[0]).makeDecoder()
        return try (0...1).map { index in
            let position = FramePosition(index: index, isLast: index == 1)
            let stored = parts[index + 1]
            return try written(64) { output in
                try decoder.decode(unsafe stored.span.bytes, at: position, into: &output)
            }
        }
    }

    /// What a codec writes into room for so many bytes.
    private static func written(_ limit: Int, _ write: (inout OutputRawSpan) throws -> Void) throws -> [UInt8] {
        var room = [UInt8](repeating: 0, count: limit)
        // Sound: the span lives as long as the memory that it is of.
        let count = try unsafe room.withUnsafeMutableBytes { memory throws in
            var output = unsafe OutputRawSpan(buffer: memory, initializedCount: 0)
            try write(&output)
            return output.byteCount
        }
        return Array(room[..<count])
    }
}
