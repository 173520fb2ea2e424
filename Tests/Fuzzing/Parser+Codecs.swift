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
        var room = [UInt8](repeating: 0, count: 65_536)
        do {
            try unsafe room.withUnsafeMutableBytes { memory throws in
                var output = unsafe OutputRawSpan(buffer: memory, initializedCount: 0)
                try unsafe decoder.decode(
                    bytes.span.bytes.extracting(headerCount..<bytes.count), at: FramePosition(index: 0, isLast: true),
                    into: &output)
            }
        } catch {}
    }
}
