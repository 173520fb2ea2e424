package import BackupAPI

/// Reads one stored object from front to back: checks its digest and decodes it, in memory that does not grow.
package struct StoredObjectReader {
    private static let chunkByteCount = 256 << 10
    private let backend: any StorageBackend
    private let cryptography: any Cryptography
    private let chain: CodecChain

    package init(backend: any StorageBackend, chain: CodecChain, cryptography: any Cryptography) {
        self.backend = backend
        self.chain = chain
        self.cryptography = cryptography
    }

    /// Hands out the plain bytes piece by piece. They are proven only when the call returns: a caller that writes them makes
    /// them visible afterwards.
    ///
    /// - Parameters:
    ///   - object: size and digest as recorded; a difference is `.objectDamaged` with the object's path.
    ///   - identity: what encrypted bytes must be bound to.
    package func stream(
        _ object: StoredObject, key: ObjectKey, identity: ObjectIdentity, to consume: (RawSpan) async throws -> Void
    ) async throws {
        try await stream(
            path: object.path, byteCount: object.bytes, sha512: object.sha512, key: key, identity: identity, to: consume
        )
    }

    /// Hands out the plain bytes of an object as it is recorded otherwise.
    ///
    /// - Parameters:
    ///   - path: how errors name it.
    ///   - byteCount: its stored size.
    ///   - sha512: the digest of its stored bytes; nil where the caller proves the plain bytes.
    package func stream(
        path: String, byteCount: Int, sha512: String?, key: ObjectKey, identity: ObjectIdentity,
        to consume: (RawSpan) async throws -> Void
    ) async throws {
        let digest = sha512.map { _ in cryptography.makeDigest(.sha512) }
        let stages = try chain.codecs.reversed().map { try $0.makeStreamDecoder(identity) }
        let decoding = DecodingStages(stages, bufferByteCount: Self.chunkByteCount)
        let input = FrameBuffer(capacity: Self.chunkByteCount)
        let reader = try await backend.openRead(key, range: nil)
        var total = 0
        var fault: (any Error)?
        do {
            while fault == nil {
                input.clear()
                let count = try await input.fill { room in try await reader.read(into: &room) }
                if count == 0 { break }
                total += count
                if let digest { input.withBytes { digest.update($0) } }
                try await input.withBytes { (bytes: RawSpan) async throws in try await decoding.push(bytes, to: consume)
                }
            }
            try decoding.finish()
        } catch let error as CodecError {
            fault = error
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
        if let fault { throw EngineError(.objectDamaged, "'\(path)': \(fault)") }
        guard total == byteCount else {
            throw EngineError(.objectDamaged, "'\(path)' has \(total) bytes and not \(byteCount)")
        }
        guard digest.map({ hexadecimal($0.finish()) }) == sha512 else {
            throw EngineError(.objectDamaged, "'\(path)' is not what the backup wrote (its SHA-512 differs)")
        }
    }

    /// Reads a whole object of at most `limit` plain bytes.
    package func bytes(
        _ object: StoredObject, key: ObjectKey, identity: ObjectIdentity, limit: Int = 1 << 31
    ) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        try await stream(object, key: key, identity: identity) { span in
            guard bytes.count + span.byteCount <= limit else {
                throw EngineError(.objectDamaged, "'\(object.path)' is larger than \(limit) bytes")
            }
            unsafe span.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        }
        return bytes
    }
}

/// Stream decoders one behind the other, outermost first.
final class DecodingStages {
    private let decoders: [any StreamDecoder]
    private let buffers: [FrameBuffer]

    init(_ decoders: [any StreamDecoder], bufferByteCount: Int) {
        self.decoders = decoders
        buffers = decoders.map { _ in FrameBuffer(capacity: bufferByteCount) }
    }

    func push(_ bytes: RawSpan, to consume: (RawSpan) async throws -> Void) async throws {
        try await push(bytes, stage: 0, to: consume)
    }

    func finish() throws(CodecError) {
        for decoder in decoders { try decoder.finish() }
    }

    private func push(_ bytes: RawSpan, stage: Int, to consume: (RawSpan) async throws -> Void) async throws {
        guard stage < decoders.count else { return try await consume(bytes) }
        let output = buffers[stage]
        var offset = 0
        while true {
            output.clear()
            let step = try output.fill { (room: inout OutputRawSpan) throws(CodecError) in
                try decoders[stage].decode(bytes.extracting(offset..<bytes.byteCount), into: &room)
            }
            offset += step.consumed
            if output.count > 0 {
                try await output.withBytes { (plain: RawSpan) async throws in
                    try await push(plain, stage: stage + 1, to: consume)
                }
            }
            if offset == bytes.byteCount && !step.hasMoreOutput { return }
            if step.consumed == 0 && output.count == 0 {
                throw CodecError(.damaged, codec: "stream", detail: "the decoder makes no progress")
            }
        }
    }
}
