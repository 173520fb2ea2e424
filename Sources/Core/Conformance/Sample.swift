/// Bytes to store: always the same for the same seed, never repeating, so that a shifted or doubled piece is seen.
enum Sample {
    /// Makes `count` bytes (SplitMix64, Steele, Lea and Flood 2014).
    static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        let words = (0..<(count + 7) / 8).map { _ in
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
        // Sound: the buffer does not leave the closure.
        return unsafe words.withUnsafeBytes { unsafe Array($0.prefix(count)) }
    }

    /// How two runs of bytes differ, in words.
    static func difference(_ found: [UInt8], _ expected: [UInt8]) -> String {
        if found.count != expected.count { return "\(found.count) bytes, not \(expected.count)" }
        let index = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        return index.map { "another byte at \($0)" } ?? "the same bytes"
    }
}

/// Names for the folders of runs.
enum RunName {
    /// A name that no other run has: 64 random bits.
    static func make() -> String { String(UInt64.random(in: .min ... .max), radix: 36) }
}
