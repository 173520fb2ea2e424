import Testing

@testable import PostgresClient

@Suite struct MessageTests {
    private func archiveMessage(_ bytes: [UInt8]) -> BaseBackupMessage? {
        unsafe bytes.withUnsafeBytes { unsafe BaseBackupMessage($0) }
    }

    private func walMessage(_ bytes: [UInt8]) -> WALMessage? {
        unsafe bytes.withUnsafeBytes { unsafe WALMessage($0) }
    }

    @Test(arguments: [
        ("nbase.tar\0\0", "base", nil), ("n16384.tar\0/srv/space\0", "16384", "/srv/space"),
        ("nbase.tar.zst\0\0", "base", nil),
    ])
    func `an archive is known by the stem of its file`(message: String, name: String, location: String?) {
        let parsed = archiveMessage(Array(message.utf8))

        #expect(parsed == .archive(BaseBackupArchive(name: name, location: location)))
    }

    @Test(arguments: ["", "x", "nbase.tar", "n"])
    func `what is not a message of the archive stream is refused`(message: String) {
        #expect(archiveMessage(Array(message.utf8)) == nil)
    }

    @Test func `WAL messages are read and cut ones are refused`() {
        let position: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 2]
        let end: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 9]
        let data = [UInt8(ascii: "w")] + position + end + [UInt8](repeating: 0, count: 8) + [42]
        let keepalive = [UInt8(ascii: "k")] + position + [UInt8](repeating: 0, count: 8) + [1]

        #expect(walMessage(data) == .data(at: LSN(0x1_0000_0002), serverEnd: LSN(0x1_0000_0009)))
        #expect(
            walMessage(keepalive) == .keepalive(serverEnd: LSN(0x1_0000_0002), wantsReply: true))
        #expect(walMessage(Array(data.prefix(24))) == nil)
        #expect(walMessage(Array(keepalive.prefix(17))) == nil)
        #expect(walMessage([]) == nil)
    }

    @Test func `a status update has the protocol's layout`() {
        let bytes = WALMessage.statusUpdate(received: LSN(0x102), safe: LSN(1), wantsReply: true, microseconds: 3)

        let zeros = [UInt8](repeating: 0, count: 7)
        let expected =
            [UInt8(ascii: "r")] + zeros.dropLast() + [1, 2] + zeros + [1] + zeros + [0] + zeros + [3] + [1]
        #expect(bytes == expected)
    }

    @Test func `a stream that is to stop goes on to the segment's end`() {
        let rule = WALStopRule(segmentSize: .standard)
        let end = LSN((16 << 20) + 100)

        #expect(!rule.isDone(received: LSN((16 << 20) + 99), end: end))
        #expect(!rule.isDone(received: end, end: end))
        #expect(rule.isDone(received: LSN(32 << 20), end: end))
        #expect(rule.isDone(received: LSN(5), end: .zero))
    }

    @Test func `an answer after a time of quiet ends a stream inside a segment`() {
        var rule = WALStopRule(segmentSize: .standard)
        let end = LSN(100)

        let asksAtOnce = rule.asksForAnswer(received: end, end: end, quiet: .zero)
        let asksAfterQuiet = rule.asksForAnswer(received: end, end: end, quiet: .seconds(1))
        let asksTwice = rule.asksForAnswer(received: end, end: end, quiet: .seconds(1))
        rule.sawData()
        rule.sawKeepalive()
        let isDoneAfterData = rule.isDone(received: end, end: end)
        let asksAgain = rule.asksForAnswer(received: end, end: end, quiet: .seconds(1))
        rule.sawKeepalive()

        #expect(!asksAtOnce && asksAfterQuiet && !asksTwice && asksAgain)
        #expect(!isDoneAfterData)
        #expect(rule.isDone(received: end, end: end))
        #expect(!rule.isDone(received: LSN(99), end: end))
    }
}
