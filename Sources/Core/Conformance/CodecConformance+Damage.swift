internal import BackupAPI

/// The laws `truncation-is-found`, `damage-is-found` and `trailing-bytes-are-refused`.
extension CodecConformance {
    /// A frame that is cut at any byte is refused.
    func truncatedFrame(_ bench: CodecConformanceBench) throws {
        for plain in [CodecConformanceSamples.small(), []] {
            let stored = try bench.store([plain])
            let decoder = try bench.decoder(of: stored)
            for count in 0..<stored.frames[0].count {
                try expectError([.truncated, .damaged], "a frame cut after \(count) bytes") {
                    try bench.decode(
                        Array(stored.frames[0].prefix(count)), at: stored.position(0), with: decoder, room: 4096)
                }
            }
        }
    }

    /// A stream that is cut at any byte is refused; a compression cannot see a cut between frames.
    func truncatedStream(_ bench: CodecConformanceBench) throws {
        let stored = try bench.store([CodecConformanceSamples.small(), [], CodecConformanceSamples.small(seed: 2)])
        var ends: Set<Int> = []
        if kind == .compression {
            var end = stored.header.count
            for frame in stored.frames {
                end += frame.count
                ends.insert(end)
            }
        }
        for count in 0..<stored.bytes.count where !ends.contains(count) {
            try expectError([.truncated, .damaged], "a stream cut after \(count) bytes") {
                try bench.readStream(
                    Array(stored.bytes.prefix(count)), inputStep: 4096, room: 4096, identity: stored.identity)
            }
        }
        if kind == .encryption {
            for count in 0..<stored.header.count {
                try expectError([.truncated, .damaged], "a header cut after \(count) bytes") {
                    _ = try bench.codec.openObject(stored.identity, header: Array(stored.header.prefix(count)))
                    return []
                }
            }
        }
    }

    /// A flipped bit in a frame is an error or changes nothing; in an encrypted one it is an error.
    func damagedFrame(_ bench: CodecConformanceBench) throws {
        for plain in [CodecConformanceSamples.small(), []] {
            let stored = try bench.store([plain])
            let decoder = try bench.decoder(of: stored)
            for bit in 0..<stored.frames[0].count * 8 {
                try expectDamageIsFound("bit \(bit) of a frame", plain) {
                    try bench.decode(
                        flipped(stored.frames[0], bit), at: stored.position(0), with: decoder, room: 4096)
                }
            }
            let back = try bench.decode(stored.frames[0], at: stored.position(0), with: decoder, room: 4096)
            try expect(back == plain, "a whole frame came back wrong after damaged ones")
        }
    }

    /// A flipped bit in a stream, the header included, is an error or changes nothing.
    func damagedStream(_ bench: CodecConformanceBench) throws {
        let stored = try bench.store([CodecConformanceSamples.small(), CodecConformanceSamples.small(seed: 2)])
        let bytes = stored.bytes
        for bit in 0..<bytes.count * 8 {
            try expectDamageIsFound("bit \(bit) of a stream", stored.plain) {
                try bench.readStream(flipped(bytes, bit), inputStep: 4096, room: 4096, identity: nil)
            }
        }
        for bit in 0..<stored.header.count * 8 {
            try expectDamageIsFound("bit \(bit) of a header", stored.plains[0]) {
                let object = try bench.codec.openObject(stored.identity, header: flipped(stored.header, bit))
                return try bench.decode(
                    stored.frames[0], at: stored.position(0), with: object.makeDecoder(), room: 4096)
            }
        }
    }

    /// Bytes behind a frame are refused, and other bytes behind a stream.
    func trailingBytes(_ bench: CodecConformanceBench) throws {
        for plain in [CodecConformanceSamples.small(), []] {
            let stored = try bench.store([plain])
            let decoder = try bench.decoder(of: stored)
            for more in [[0], [0xFF], CodecConformanceSamples.noise(100), stored.frames[0]] {
                try expectError([.damaged], "\(more.count) bytes behind a frame") {
                    try bench.decode(stored.frames[0] + more, at: stored.position(0), with: decoder, room: 4096)
                }
            }
            for more in [[0], [0xFF], CodecConformanceSamples.noise(100)] {
                try expectError([.damaged, .truncated], "\(more.count) other bytes behind a stream") {
                    try bench.readStream(stored.bytes + more, inputStep: 4096, room: 4096, identity: stored.identity)
                }
            }
        }
    }

    private func expectDamageIsFound(_ what: String, _ plain: [UInt8], _ body: () throws -> [UInt8]) throws {
        do {
            let back = try body()
            try expect(kind == .compression, "\(what) was flipped and nothing was said")
            try expect(back == plain, "\(what) was flipped, and other bytes came back")
        } catch is CodecError {}
    }

    private func flipped(_ bytes: [UInt8], _ bit: Int) -> [UInt8] {
        var bytes = bytes
        bytes[bit / 8] ^= 1 << (bit % 8)
        return bytes
    }
}
