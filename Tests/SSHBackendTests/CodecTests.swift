import BackupAPI
import Testing

@testable import SSHBackend

/// The bytes on the wire, without any server. Examples are laid out by hand after draft-ietf-secsh-filexfer-02.
@Suite struct `SFTP packets` {
    private func bytes(_ parts: [UInt8]...) -> [UInt8] { parts.flatMap { $0 } }
    private func text(_ text: String) -> [UInt8] { [0, 0, 0, UInt8(text.utf8.count)] + Array(text.utf8) }

    @Test func `begin a session with version 3 and no number`() {
        #expect(SFTPPacket.greeting.bytes == [0, 0, 0, 5, 1, 0, 0, 0, 3])
    }

    @Test func `ask to open a file with flags and permissions`() {
        var packet = SFTPRequest.open("/f", [.write, .create, .exclusive], permissions: 0o600).packet
        packet.setNumber(0x0102_0304)

        let body = bytes([3, 1, 2, 3, 4], text("/f"), [0, 0, 0, 0x2A], [0, 0, 0, 4], [0, 0, 1, 0x80])
        #expect(packet.bytes == [0, 0, 0, UInt8(body.count)] + body)
    }

    @Test func `ask to read a run`() {
        let packet = SFTPRequest.read(SFTPHandle(bytes: [9]), offset: 0x1_0000_0002, count: 5).packet

        let body = bytes([5, 0, 0, 0, 0], [0, 0, 0, 1, 9], [0, 0, 0, 1, 0, 0, 0, 2], [0, 0, 0, 5])
        #expect(packet.bytes == [0, 0, 0, UInt8(body.count)] + body)
        #expect(packet.kind == "read")
    }

    @Test func `name an extension in place of a type`() {
        let packet = SFTPRequest.posixRename(from: "a", to: "b").packet

        let body = bytes([200, 0, 0, 0, 0], text("posix-rename@openssh.com"), text("a"), text("b"))
        #expect(packet.bytes == [0, 0, 0, UInt8(body.count)] + body)
        #expect(packet.kind == "posix-rename@openssh.com")
    }

    @Test func `carry an object's bytes as they are filled in, up to the limit`() {
        var packet = SFTPWritePacket(handle: SFTPHandle(bytes: [7]), offset: 1, limit: 3)

        let first = unsafe [UInt8(1), 2].withUnsafeBytes { unsafe packet.fill(from: $0) }
        let second = unsafe [UInt8(3), 4].withUnsafeBytes { unsafe packet.fill(from: $0) }

        #expect([first, second] == [2, 1])
        let body = bytes([6, 0, 0, 0, 0], [0, 0, 0, 1, 7], [0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 3, 1, 2, 3])
        #expect(packet.finished().bytes == [0, 0, 0, UInt8(body.count)] + body)
    }

    @Test func `are read back field by field`() throws {
        let handle = try SFTPReply.decode(bytes([102, 0, 0, 0, 5], [0, 0, 0, 2, 1, 2]))
        #expect(handle.number == 5)
        #expect(handle.reply == .handle(SFTPHandle(bytes: [1, 2])))

        let status = try SFTPReply.decode(bytes([101, 0, 0, 0, 6], [0, 0, 0, 2], text("No such file"), text("")))
        #expect(status.reply == .status(.noSuchFile, message: "No such file"))

        let short = try SFTPReply.decode([101, 0, 0, 0, 6, 0, 0, 0, 99])
        #expect(short.reply == .status(.failure, message: "status 99 "))

        let attributes = try SFTPReply.decode(
            bytes(
                [105, 0, 0, 0, 7], [0x80, 0, 0, 0x0F], [0, 0, 0, 0, 0, 0, 1, 0], [0, 0, 0, 1, 0, 0, 0, 2],
                [0, 0, 0x81, 0x80], [0, 0, 0, 3, 0, 0, 0, 4], [0, 0, 0, 1], text("x"), text("y")))
        #expect(
            attributes.reply
                == .attributes(SFTPAttributes(byteCount: 256, permissions: 0o100600, modificationTime: 4)))

        let version = try SFTPReply.decode(bytes([2, 0, 0, 0, 3], text("limits@openssh.com"), text("1")))
        #expect(version.reply == .version(3, extensions: ["limits@openssh.com": [0x31]]))
    }

    @Test(
        arguments: [
            [], [99], [101], [101, 0, 0, 0], [101, 0, 0, 0, 1, 0, 0], [102, 0, 0, 0, 1, 0, 0, 0, 9, 1],
            [103, 0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF], [104, 0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF],
            [105, 0, 0, 0, 1, 0x80, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF], [3, 0, 0, 0, 1],
            [102, 0, 0, 0, 1, 0, 0, 1, 1] + [UInt8](repeating: 0, count: 257), [2, 0, 0, 0, 3, 0, 0, 0, 9],
        ] as [[UInt8]])
    func `that are malformed are refused`(packet: [UInt8]) {
        #expect(throws: SFTPMalformed.self) { try SFTPReply.decode(packet) }
    }

    @Test func `of random bytes are read or refused, and never trap`() {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        let types: [UInt8] = [2, 101, 102, 103, 104, 105, 201]
        var read = 0
        for round in 0..<20_000 {
            var packet = sample(round % 61, seed: seed &+ UInt64(round))
            if !packet.isEmpty { packet[0] = types[round % types.count] }
            // Small numbers make more of the fields fit.
            for index in packet.indices.dropFirst() where round % 3 != 0 { packet[index] &= 0x03 }
            if (try? SFTPReply.decode(packet)) != nil { read += 1 }
        }
        #expect(read > 0)
    }

    @Test(arguments: [1, 2, 3, 5, 1000]) func `are cut out of a stream however it comes in pieces`(size: Int) throws {
        let packets: [[UInt8]] = [[1], [2, 3], sample(700), [4]]
        let stream: [UInt8] = packets.flatMap { (packet: [UInt8]) -> [UInt8] in
            [0, 0, UInt8(packet.count >> 8), UInt8(packet.count & 0xFF)] + packet
        }
        var framer = SFTPFramer()
        var found: [[UInt8]] = []

        for start in stride(from: 0, to: stream.count, by: size) {
            let piece = Array(stream[start..<min(stream.count, start + size)])
            try unsafe piece.withUnsafeBytes { try unsafe framer.feed($0) { found.append($0) } }
        }

        #expect(found == packets)
        #expect(!framer.isInsidePacket)
    }

    @Test(arguments: [[0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [0, 0x10, 0, 1]] as [[UInt8]])
    func `of an impossible length are refused`(header: [UInt8]) {
        var framer = SFTPFramer()
        #expect(throws: SFTPMalformed.self) {
            try unsafe header.withUnsafeBytes { try unsafe framer.feed($0) { _ in } }
        }
    }

    @Test func `are not mistaken for the text of a login script`() {
        var framer = SFTPFramer()
        #expect(throws: SFTPMalformed(detail: "text where a packet should begin: 'Welc…'")) {
            try unsafe Array("Welcome\n".utf8).withUnsafeBytes { try unsafe framer.feed($0) { _ in } }
        }
    }

    @Test func `tell what a server can do`() throws {
        var features = try SFTPFeatures(
            version: 3,
            offered: ["statvfs@openssh.com": [0x32], "fsync@openssh.com": [0x31], "hardlink@openssh.com": [0x37]])
        #expect(features.extensions == [.statvfs, .fsync])
        #expect(features.writeByteCount == 32_768)

        try features.apply(
            limits: bytes(
                [0, 0, 0, 0, 0, 4, 0, 0], [0, 0, 0, 0, 0, 0, 0x80, 1],
                [UInt8](repeating: 0xFF, count: 8), [0, 0, 0, 0, 0, 0, 0, 0])[...])
        #expect(features.readByteCount == 32_769)
        #expect(features.writeByteCount == SFTPFeatures.maximumByteCount)
        #expect(throws: SFTPMalformed.self) { try SFTPFeatures(version: 2, offered: [:]) }
    }
}
