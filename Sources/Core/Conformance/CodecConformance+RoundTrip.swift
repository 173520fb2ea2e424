internal import BackupAPI

/// The laws `round-trip` and `output-is-bounded`.
extension CodecConformance {
    /// Every size comes back, with one encoder and one decoder for all of them.
    func roundTrip(_ bench: CodecConformanceBench) throws {
        let sizes = [0, 1, 2, 15, 16, 17, 100, 1000, 4095, 4096, 65_535, 65_536, 65_537, frameByteCount]
        for size in sizes where size <= frameByteCount {
            for plain in [
                CodecConformanceSamples.noise(size), CodecConformanceSamples.prose(size),
                [UInt8](repeating: 0, count: size),
            ] {
                let stored = try bench.store([plain])
                let back = try bench.decode(
                    stored.frames[0], at: stored.position(0), with: bench.decoder(of: stored), room: size)
                try expect(back == plain, "a frame of \(size) bytes came back as \(back.count) others")
            }
        }
    }

    /// Frames may be encoded and decoded in any order.
    func framesInAnyOrder(_ bench: CodecConformanceBench) throws {
        let plains = (0..<5).map { CodecConformanceSamples.prose(1000 + $0 * 100, seed: UInt64($0)) }
        let identity = bench.identity()
        let object = try bench.codec.beginObject(identity)
        let encoder = try object.makeEncoder()
        var stored = CodecConformanceBench.StoredObject(
            identity: identity, header: object.header, frames: plains, plains: plains)
        for index in [3, 0, 4, 2, 1] {
            stored.frames[index] = try bench.encode(plains[index], at: stored.position(index), with: encoder)
        }
        let decoder = try bench.decoder(of: stored)
        for index in [2, 4, 1, 0, 3] {
            let back = try bench.decode(
                stored.frames[index], at: stored.position(index), with: decoder, room: frameByteCount)
            try expect(back == plains[index], "frame \(index) came back wrong when frames were taken out of order")
        }
        let stream = try bench.readStream(stored.bytes, inputStep: 4096, room: 4096, identity: identity)
        try expect(stream == stored.plain, "the stream of frames that were encoded out of order is wrong")
    }

    /// Streams come back with buffers of any size, small and large objects, with and without an identity.
    func streamsOfAnyGrain(_ bench: CodecConformanceBench) throws {
        let small = try bench.store([CodecConformanceSamples.small(), [], CodecConformanceSamples.small(seed: 2)])
        let empty = try bench.store([[]])
        let large = try bench.store([
            CodecConformanceSamples.prose(frameByteCount), CodecConformanceSamples.noise(frameByteCount),
            [UInt8](repeating: 0, count: frameByteCount), CodecConformanceSamples.prose(frameByteCount / 2, seed: 9),
        ])
        let smallGrains = [1, 2, 7, 4096].flatMap { input in [1, 2, 7, 4096].map { (input, $0) } }
        let largeGrains = [(1000, 65_536), (65_536, 1000), (1 << 20, 1 << 20), (1 << 22, 4096)]
        for (stored, grains) in [(small, smallGrains), (empty, smallGrains), (large, largeGrains)] {
            for (input, room) in grains {
                let back = try bench.readStream(
                    stored.bytes, inputStep: input, room: room, identity: input == room ? stored.identity : nil)
                try expect(
                    back == stored.plain,
                    "\(stored.plain.count) bytes came back as \(back.count) others, with buffers of \(input) and \(room)"
                )
            }
        }
    }

    /// A frame that holds more than there is room for is refused, and nothing is written behind the room.
    func boundedOutput(_ bench: CodecConformanceBench) throws {
        for plain in [[UInt8](repeating: 0, count: frameByteCount), CodecConformanceSamples.small()] {
            let stored = try bench.store([plain])
            let decoder = try bench.decoder(of: stored)
            for room in [0, 1, 15, 16, 17, 100, plain.count / 2, plain.count - 17, plain.count - 1]
            where room < plain.count {
                try expectError([.tooLarge], "\(plain.count) bytes decoded into room for \(room)") {
                    try bench.decode(stored.frames[0], at: stored.position(0), with: decoder, room: room)
                }
            }
            let back = try bench.decode(stored.frames[0], at: stored.position(0), with: decoder, room: plain.count)
            try expect(back == plain, "a frame came back wrong after others were too large")
        }
    }

    /// Throws when a claim does not hold.
    func expect(_ claim: Bool, _ words: @autoclosure () -> String) throws {
        guard claim else { throw CodecConformanceBroken(words: words()) }
    }

    /// Runs `body`, which must throw a `CodecError` for one of the reasons.
    func expectError(
        _ reasons: Set<CodecError.Reason>, _ situation: @autoclosure () -> String, _ body: () throws -> [UInt8]
    ) throws {
        let wanted = reasons.map(\.rawValue).sorted().joined(separator: " or ")
        do {
            _ = try body()
        } catch let error as CodecError {
            try expect(reasons.contains(error.reason), "\(situation()): \(error.reason.rawValue), not \(wanted)")
            return
        }
        throw CodecConformanceBroken(words: "\(situation()): no error, not \(wanted)")
    }
}
