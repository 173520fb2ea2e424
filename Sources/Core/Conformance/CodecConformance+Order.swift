internal import BackupAPI

/// The law `order-is-kept`, for encryptions.
extension CodecConformance {
    /// A frame decodes only where it was encoded.
    func frameOutOfPlace(_ bench: CodecConformanceBench) throws {
        let stored = try bench.store([CodecConformanceSamples.small(), [], CodecConformanceSamples.small(seed: 2)])
        let decoder = try bench.decoder(of: stored)
        for frame in stored.frames.indices {
            for index in [0, 1, 2, 3, 256] {
                for isLast in [false, true] {
                    let position = FramePosition(index: index, isLast: isLast)
                    guard position != stored.position(frame) else { continue }
                    try expectError([.notAuthentic], "frame \(frame) decoded as \(index), last: \(isLast)") {
                        try bench.decode(stored.frames[frame], at: position, with: decoder, room: 4096)
                    }
                }
            }
        }
    }

    /// A header opens only the object that it was made for, and a frame decodes only in its own object.
    func otherObject(_ bench: CodecConformanceBench) throws {
        let stored = try bench.store([CodecConformanceSamples.small()])
        let others = [
            bench.identity(repository: "other"), bench.identity(key: "a/b.002"), bench.identity(chain: "d"),
            ObjectIdentity(repository: "conformance", key: "a/b.001", chain: "c", frameByteCount: frameByteCount * 2),
        ]
        for other in others {
            try expectError([.notAuthentic], "a header of another object") {
                _ = try bench.codec.openObject(other, header: stored.header)
                return []
            }
            try expectError([.notAuthentic], "a stream of another object") {
                try bench.readStream(stored.bytes, inputStep: 4096, room: 4096, identity: other)
            }
        }
        for key in [stored.identity.key, "a/b.002"] {
            let decoder = try bench.decoder(of: bench.store([CodecConformanceSamples.small()], key: key))
            try expectError([.notAuthentic], "a frame of another object with the key \(key)") {
                try bench.decode(stored.frames[0], at: stored.position(0), with: decoder, room: 4096)
            }
        }
    }

    /// A stream with frames swapped, repeated, missing or added is refused.
    func streamOutOfOrder(_ bench: CodecConformanceBench) throws {
        let stored = try bench.store((0..<4).map { CodecConformanceSamples.small(seed: UInt64($0)) })
        let cases: [(order: [Int], reasons: Set<CodecError.Reason>)] = [
            ([1, 0, 2, 3], [.notAuthentic]), ([0, 0, 1, 2, 3], [.notAuthentic]), ([0, 2, 3], [.notAuthentic]),
            ([1, 2, 3], [.notAuthentic]), ([3], [.notAuthentic]), ([0, 1, 2], [.truncated]), ([], [.truncated]),
            ([0, 1, 2, 3, 3], [.damaged, .notAuthentic]), ([0, 1, 2, 3, 0], [.damaged, .notAuthentic]),
        ]
        for (order, reasons) in cases {
            let bytes = order.reduce(stored.header) { $0 + stored.frames[$1] }
            try expectError(reasons, "a stream of the frames \(order) of 0 to 3") {
                try bench.readStream(bytes, inputStep: 4096, room: 4096, identity: stored.identity)
            }
        }
    }
}
