internal import BackupAPI

/// Decrypts a whole object from front to back. It holds one frame, and gives its bytes out after the tag was checked.
final class AESStreamDecoder: StreamDecoder {
    /// What the next collected bytes are.
    private enum Part {
        case headerPrefix, header, frameLength, frame, end
    }

    private let codec: AESCodec
    private let identity: ObjectIdentity?
    private var part = Part.headerPrefix
    private var collected: [UInt8] = []
    private var wanted = AESObjectHeader.prefixByteCount
    private var secrets: AESObjectSecrets?
    private var cipher: (any AESFrameCipher)?
    private var frameIndex = 0
    private var plain: [UInt8] = []
    private var waiting = 0..<0
    private var failure: CodecError?

    /// Decrypts with `codec`'s keys.
    /// - Parameter identity: what the object must be; nil accepts what its header says.
    init(codec: AESCodec, identity: ObjectIdentity?) {
        self.codec = codec
        self.identity = identity
    }

    func decode(_ input: RawSpan, into output: inout OutputRawSpan) throws(CodecError) -> StreamStep {
        if let failure { throw failure }
        do throws(CodecError) {
            // Sound: both buffers are used only inside their closures.
            return try unsafe input.withUnsafeBytes { (source: UnsafeRawBufferPointer) throws(CodecError) in
                try unsafe output.withUnsafeMutableBytes {
                    (buffer: UnsafeMutableRawBufferPointer, count: inout Int) throws(CodecError) in
                    try unsafe decode(source, into: buffer, count: &count)
                }
            }
        } catch {
            failure = error
            throw error
        }
    }

    func finish() throws(CodecError) {
        if let failure { throw failure }
        guard part == .end, waiting.isEmpty else { throw CodecError(.truncated, codec: codec.name) }
    }

    private func decode(
        _ source: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer, count: inout Int
    ) throws(CodecError) -> StreamStep {
        var consumed = 0
        while true {
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let given = plain[waiting].prefix(room.count)
            unsafe room.copyBytes(from: given)
            count += given.count
            waiting = waiting.dropFirst(given.count)
            guard waiting.isEmpty else { return StreamStep(consumed: consumed, hasMoreOutput: true) }
            guard consumed < source.count else { return StreamStep(consumed: consumed, hasMoreOutput: false) }
            guard part != .end else {
                throw CodecError(.damaged, codec: codec.name, detail: "bytes behind the last frame")
            }
            let taken = min(wanted - collected.count, source.count - consumed)
            unsafe collected.append(contentsOf: UnsafeRawBufferPointer(rebasing: source[consumed..<consumed + taken]))
            consumed += taken
            if collected.count == wanted { try finishPart() }
        }
    }

    private func finishPart() throws(CodecError) {
        switch part {
        case .headerPrefix:
            wanted = try AESObjectHeader.headerByteCount(prefix: collected, codec: codec.name)
            part = .header
        case .header:
            try open(AESObjectHeader(parsing: collected, codec: codec.name))
            expect(.frameLength, AESObject.lengthByteCount)
        case .frameLength:
            expect(.frame, try frameLength())
        case .frame:
            let isLast = try openFrame()
            expect(isLast ? .end : .frameLength, AESObject.lengthByteCount)
        case .end: break
        }
    }

    private func expect(_ next: Part, _ byteCount: Int) {
        part = next
        wanted = byteCount
        collected.removeAll(keepingCapacity: true)
        collected.reserveCapacity(byteCount)
    }

    private func open(_ header: AESObjectHeader) throws(CodecError) {
        if let identity { try codec.check(header, is: identity) }
        let secrets = try codec.open(header).secrets
        self.secrets = secrets
        cipher = try secrets.makeFrameCipher(.decrypt)
    }

    /// The length that a frame says, checked before anything is allocated for it.
    private func frameLength() throws(CodecError) -> Int {
        var bytes = collected[...]
        let length = Int(bytes.takeLittleEndian(UInt32.self))
        guard let secrets, length <= secrets.maximumSealedByteCount else {
            throw CodecError(.tooLarge, codec: codec.name, detail: "a frame of \(length) bytes")
        }
        guard length >= secrets.header.mode.tagByteCount else {
            throw CodecError(.damaged, codec: codec.name, detail: "a frame of \(length) bytes")
        }
        return length
    }

    /// Decrypts the collected frame and says whether it is the last one. Only the tag tells, so both are tried.
    private func openFrame() throws(CodecError) -> Bool {
        guard let cipher else { throw CodecError(.failed, codec: codec.name) }
        do throws(CodecError) {
            try openFrame(cipher, isLast: false)
            return false
        } catch {
            guard error.reason == .notAuthentic else { throw error }
            try openFrame(cipher, isLast: true)
            return true
        }
    }

    private func openFrame(_ cipher: any AESFrameCipher, isLast: Bool) throws(CodecError) {
        let position = FramePosition(index: frameIndex, isLast: isLast)
        let number = try AESFrameNumber(position, codec: codec.name)
        if plain.count < collected.count {
            plain = [UInt8](repeating: 0, count: collected.count)
        }
        // Sound: both buffers are used only inside their closures.
        let count = try unsafe collected.withUnsafeBufferPointer {
            (sealed: UnsafeBufferPointer<UInt8>) throws(CodecError) in
            try unsafe plain.withUnsafeMutableBufferPointer {
                (room: inout UnsafeMutableBufferPointer<UInt8>) throws(CodecError) in
                try unsafe cipher.open(
                    UnsafeRawBufferPointer(sealed), as: number, into: UnsafeMutableRawBufferPointer(room))
            }
        }
        waiting = 0..<count
        frameIndex += 1
    }
}
