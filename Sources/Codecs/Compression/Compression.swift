internal import BackupAPI

/// A codec whose frames carry all they need: nothing is shared by an object's frames, so it has no header and
/// the codec itself stands for every object.
protocol Compression: Codec, ObjectCodec {
    /// The level that frames are compressed with.
    var level: Int { get }
}

extension Compression {
    var header: [UInt8] { [] }

    var parameters: [String: String] { ["level": String(level)] }

    func beginObject(_ identity: ObjectIdentity) -> any ObjectCodec { self }

    func openObject(_ identity: ObjectIdentity, header: [UInt8]) throws(CodecError) -> any ObjectCodec {
        guard header.isEmpty else {
            throw CodecError(.damaged, codec: name, detail: "\(header.count) bytes before the first frame")
        }
        return self
    }
}
