public import BackupAPI

/// The laws of `Codec` as runnable checks, for our codecs and for those of plugins. It needs no test framework:
///
///     let violations = CodecConformance(kind: .compression) { MyCodec() }.violations()
///
/// It takes some seconds, mostly for frames of which every bit is flipped.
public struct CodecConformance: Sendable {
    /// A law that a codec does not keep.
    public struct Violation: Sendable, Hashable, CustomStringConvertible {
        /// The law's name, one of `laws`.
        public let law: String
        /// What was seen.
        public let words: String

        public var description: String { "\(law): \(words)" }
    }

    /// The names of the laws, as in the contract; `order-is-kept` is for encryptions only.
    public static let laws = [
        "round-trip", "output-is-bounded", "truncation-is-found", "damage-is-found", "trailing-bytes-are-refused",
        "order-is-kept",
    ]

    let kind: CodecFactory.Kind
    let frameByteCount: Int
    let make: @Sendable () throws(CodecError) -> any Codec

    /// Prepares the checks.
    /// - Parameters:
    ///   - kind: whether the codec encrypts.
    ///   - frameByteCount: plain bytes in the large frames.
    ///   - make: makes the codec, an encryption with a current key; called once for each check.
    public init(
        kind: CodecFactory.Kind, frameByteCount: Int = 1 << 20,
        make: @escaping @Sendable () throws(CodecError) -> any Codec
    ) {
        self.kind = kind
        self.frameByteCount = frameByteCount
        self.make = make
    }

    /// Checks all laws and gives what was broken; empty when the codec conforms.
    public func violations() -> [Violation] {
        var violations: [Violation] = []
        for (law, check) in checks {
            do {
                try check(try CodecConformanceBench(codec: make(), frameByteCount: frameByteCount))
            } catch let broken as CodecConformanceBroken {
                violations.append(Violation(law: law, words: broken.words))
            } catch {
                violations.append(Violation(law: law, words: "unexpected error: \(error)"))
            }
        }
        return violations
    }

    private var checks: [(law: String, check: (CodecConformanceBench) throws -> Void)] {
        let all: [(law: String, check: (CodecConformanceBench) throws -> Void)] = [
            ("round-trip", roundTrip), ("round-trip", framesInAnyOrder), ("round-trip", streamsOfAnyGrain),
            ("output-is-bounded", boundedOutput),
            ("truncation-is-found", truncatedFrame), ("truncation-is-found", truncatedStream),
            ("damage-is-found", damagedFrame), ("damage-is-found", damagedStream),
            ("trailing-bytes-are-refused", trailingBytes),
            ("order-is-kept", frameOutOfPlace), ("order-is-kept", otherObject), ("order-is-kept", streamOutOfOrder),
        ]
        return all.filter { kind == .encryption || $0.law != "order-is-kept" }
    }
}

/// Says how a law was broken.
struct CodecConformanceBroken: Error {
    let words: String
}
