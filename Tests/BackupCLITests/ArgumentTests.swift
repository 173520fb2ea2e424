import BackupCLI
import Testing

@Suite struct ArgumentTests {
    @Test func `an identifier is a word, a label or the beginning of one`() throws {
        #expect(try BackupIdentifier("oldest") == .oldest)
        #expect(try BackupIdentifier("newest") == .newest)
        #expect(try BackupIdentifier("latest") == .newest)
        #expect(try BackupIdentifier("20240928065644") == .label("20240928065644"))
        #expect(try BackupIdentifier("202409") == .prefix("202409"))
    }

    @Test(arguments: ["", "new", "2024-09-28", "202409280656440", "../x", "２０２４"])
    func `anything else is no identifier`(text: String) {
        #expect(throws: UsageError.self) { try BackupIdentifier(text) }
    }

    @Test func `each recovery target is read`() throws {
        #expect(try RestorePosition("current").target == .current)
        #expect(try RestorePosition("immediate").target == .immediate)
        #expect(try RestorePosition("name=before move").target == .name("before move"))
        #expect(try RestorePosition("xid=748").target == .transaction(748))
        #expect(try RestorePosition("lsn=1/4F0000B8").target == .lsn(0x1_4F00_00B8))
        let time = try #require(RecoveryTime("2024-09-28 06:56:44"))
        #expect(try RestorePosition("time=2024-09-28 06:56:44").target == .time(time))
    }

    @Test func `modifiers stand in any order`() throws {
        let position = try RestorePosition("replica, action=promote,inclusive=off,timeline=3,xid=5")

        #expect(position.role == .replica)
        #expect(position.action == .promote)
        #expect(position.isInclusive == false)
        #expect(position.timeline == .number(3))
        #expect(position.target == .transaction(5))
        #expect(try RestorePosition("timeline=latest").timeline == .latest)
        #expect(try RestorePosition("primary") == RestorePosition())
    }

    @Test(arguments: [
        ("xid=5,lsn=0/1", "two recovery targets"), ("current,immediate", "two recovery targets"),
        ("xid=5,xid=6", "twice"), ("primary,replica", "exclude"), ("curent", "'current'"), ("", "not known"),
        ("xid=abc", "transaction"), ("xid=-1", "transaction"), ("xid", "needs a value"), ("xid=", "needs a value"),
        ("lsn=12345", "0/3000060"), ("lsn=1/2/3", "0/3000060"), ("lsn=+1/2", "0/3000060"), ("lsn=1/100000000", "LSN"),
        ("time=yesterday", "2024-09-28"), ("time=2023-02-29 00:00:00", "2024-09-28"), ("inclusive=maybe", "on or off"),
        ("timeline=0", "latest, current"), ("action=stop", "pause, promote or shutdown"), ("current=1", "no value"),
        ("current,", "not known"),
    ])
    func `a faulty position says what is wrong`(text: String, word: String) {
        let error = #expect(throws: UsageError.self) { try RestorePosition(text) }

        #expect(
            error.map { "\($0.summary) \($0.remedy)".contains(word) } == true, "\(String(describing: error?.summary))")
    }

    @Test(arguments: [
        ("2024-09-28 06:56:44", 1_727_506_604_000_000, "2024-09-28 06:56:44+00:00"),
        ("2024-09-28T06:56:44Z", 1_727_506_604_000_000, "2024-09-28 06:56:44+00:00"),
        ("2024-09-28 08:56:44.5+02", 1_727_506_604_500_000, "2024-09-28 08:56:44.500000+02:00"),
        ("2024-09-28 02:26:44.000001 -04:30", 1_727_506_604_000_001, "2024-09-28 02:26:44.000001-04:30"),
        ("2024-09-28 06:56 UTC", 1_727_506_560_000_000, "2024-09-28 06:56:00+00:00"),
        ("2024-02-29 00:00:00+0000", 1_709_164_800_000_000, "2024-02-29 00:00:00+00:00"),
    ])
    func `a time is the same moment whatever its zone`(text: String, microseconds: Int, written: String) throws {
        let time = try #require(RecoveryTime(text))

        #expect(time.unixMicroseconds == microseconds)
        #expect(time.description == written)
    }

    @Test(arguments: [
        "", "2024-09-28", "2024-13-01 00:00:00", "2024-09-31 00:00:00", "2024-09-28 24:00:00",
        "2024-09-28 06:56:44 CEST",
        "2024-09-28 06:56:44.", "2024-09-28 06:56:44+2", "20240928065644", "2024-09-28 06:56:44 x",
    ])
    func `a malformed time is refused`(text: String) {
        #expect(RecoveryTime(text) == nil)
    }

    @Test func `a tablespace mapping has two absolute directories`() throws {
        let plain = try TablespaceMapping("/a=/b")
        #expect((plain.old, plain.new) == ("/a", "/b"))
        let escaped = try TablespaceMapping(#"/a\=b=/c\d"#)
        #expect((escaped.old, escaped.new) == ("/a=b", #"/c\d"#))
        for text in ["", "/a", "a=/b", "/a=b", "/a=/b=/c", #"/a\=/b"#] {
            #expect(throws: UsageError.self) { try TablespaceMapping(text) }
        }
    }
}
