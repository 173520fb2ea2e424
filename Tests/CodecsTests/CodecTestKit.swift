import BackupAPI
import BackupConformance
import Codecs

/// What several tests of codecs need.
enum CodecTestKit {
    /// A ring with one current key, `test`, of 32 different bytes.
    static var keys: KeyRing {
        var keys = KeyRing()
        keys.add(id: "test", key: Secret((0..<32).map { UInt8($0) }), isCurrent: true)
        return keys
    }

    /// Names an object.
    static func identity(key: String = "server/backup/data", frameByteCount: Int = 1 << 20) -> ObjectIdentity {
        ObjectIdentity(repository: "repository", key: key, chain: "zstd+aes-256-gcm", frameByteCount: frameByteCount)
    }

    /// Makes a codec of the standard kit.
    static func codec(_ name: String, level: Int? = nil, keys: KeyRing = keys) throws -> any Codec {
        guard let factory = StandardCodecs.registry.factory(named: name) else {
            throw CodecError(.misconfigured, codec: name, detail: "not in the registry")
        }
        return try factory.make(level, keys)
    }

    /// Encodes one object, frame by frame, with its header.
    static func encode(_ frames: [[UInt8]], with codec: any Codec, _ identity: ObjectIdentity = identity()) throws
        -> [UInt8]
    {
        let object = try codec.beginObject(identity)
        let encoder = try object.makeEncoder()
        var bytes = object.header
        for (index, plain) in frames.enumerated() {
            let position = FramePosition(index: index, isLast: index == frames.count - 1)
            bytes += try output(room: codec.maximumEncodedByteCount(forPlain: plain.count)) {
                (output: inout OutputRawSpan) throws(CodecError) in
                try unsafe encoder.encode(plain.span.bytes, at: position, into: &output)
            }
        }
        return bytes
    }

    /// Decodes a stream in pieces of 4 KiB.
    static func decode(_ bytes: [UInt8], with codec: any Codec, _ identity: ObjectIdentity? = nil) throws -> [UInt8] {
        let decoder = try codec.makeStreamDecoder(identity)
        var plain: [UInt8] = []
        var consumed = 0
        var hasMoreOutput = false
        while consumed < bytes.count || hasMoreOutput {
            let input = Array(bytes[consumed..<min(consumed + 4096, bytes.count)])
            plain += try output(room: 4096) { (output: inout OutputRawSpan) throws(CodecError) in
                let step = try unsafe decoder.decode(input.span.bytes, into: &output)
                consumed += step.consumed
                hasMoreOutput = step.hasMoreOutput
            }
        }
        try decoder.finish()
        return plain
    }

    /// Runs `body` with `room` bytes of output and gives what it appended.
    static func output(room: Int, _ body: (inout OutputRawSpan) throws(CodecError) -> Void) throws -> [UInt8] {
        // Sound: the buffer outlives the span, and only initialized bytes are given out.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(room, 1), alignment: 16)
        defer { unsafe buffer.deallocate() }
        let given = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<room])
        var span = unsafe OutputRawSpan(buffer: given, initializedCount: 0)
        try body(&span)
        let count = unsafe span.finalize(for: given)
        return unsafe Array(given[..<count])
    }

    /// Text that compresses well.
    /// - Parameter count: at most 3 MiB.
    static func text(_ count: Int) -> [UInt8] { Array(text.prefix(count)) }

    private static let text: [UInt8] = {
        let lines = (0..<5000).map { "line \($0) of a table, \($0 &* 2_654_435_761 % 1_000_003)\n" }
        let block = Array(lines.joined().utf8)
        var bytes: [UInt8] = []
        while bytes.count < 3 << 20 { bytes += block + [UInt8(bytes.count / block.count)] }
        return bytes
    }()

    /// Bytes from hexadecimal digits; spaces are ignored.
    static func hex(_ digits: String) -> [UInt8] {
        let values = digits.compactMap(\.hexDigitValue)
        return stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }

    /// Hexadecimal digits of bytes.
    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
