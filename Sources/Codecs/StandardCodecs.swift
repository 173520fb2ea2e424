public import BackupAPI

/// The codecs of the standard kit.
public struct StandardCodecs {
    /// All of them, compressions first, each kind in the order of its numbers.
    public static var registry: CodecRegistry { CodecRegistry(compressions + encryptions) }

    private static var compressions: [CodecFactory] {
        [
            compression(GzipCodec.name, ["gz"], 1, GzipCodec.suffix, GzipCodec.levels) { GzipCodec(level: $0) },
            compression(ZstdCodec.name, ["zst"], 2, ZstdCodec.suffix, ZstdCodec.levels) { ZstdCodec(level: $0) },
            compression(LZ4Codec.name, [], 3, LZ4Codec.suffix, LZ4Codec.levels) { LZ4Codec(level: $0) },
            compression(Bzip2Codec.name, ["bz2"], 4, Bzip2Codec.suffix, Bzip2Codec.levels) { Bzip2Codec(level: $0) },
        ]
    }

    private static var encryptions: [CodecFactory] {
        AESMode.allCases.map { mode in
            CodecFactory(
                name: mode.name, aliases: mode.aliases, kind: .encryption, number: Int(mode.rawValue),
                suffix: AESCodec.suffix
            ) { (level, keys) throws(CodecError) in
                guard level == nil else {
                    throw CodecError(.misconfigured, codec: mode.name, detail: "it has no levels")
                }
                return AESCodec(mode: mode, keys: keys)
            }
        }
    }

    private static func compression(
        _ name: String, _ aliases: [String], _ number: Int, _ suffix: String,
        _ levels: (allowed: ClosedRange<Int>, standard: Int), _ make: @escaping @Sendable (Int) -> any Codec
    ) -> CodecFactory {
        CodecFactory(
            name: name, aliases: aliases, kind: .compression, number: number, suffix: suffix, levels: levels
        ) { (level, _) throws(CodecError) in
            let level = level ?? levels.standard
            guard levels.allowed.contains(level) else {
                let range = "\(levels.allowed.lowerBound) to \(levels.allowed.upperBound)"
                throw CodecError(.misconfigured, codec: name, detail: "level \(level) is not \(range)")
            }
            return make(level)
        }
    }
}
