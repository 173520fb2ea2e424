/// Bytes to encode, the same in every run.
enum CodecConformanceSamples {
    /// Bytes that no compression makes shorter (SplitMix64).
    static func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            word ^= word >> 31
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Bytes that every compression makes shorter: words in changing order.
    static func prose(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        let words = ["base ", "backup ", "timeline ", "segment ", "checkpoint ", "tablespace "].map { Array($0.utf8) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 16)
        for choice in noise(count / 4 + 1, seed: seed) where bytes.count < count {
            bytes += words[Int(choice) % words.count]
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Both kinds in one small frame.
    static func small(seed: UInt64 = 1) -> [UInt8] { prose(120, seed: seed) + noise(40, seed: seed) }
}
