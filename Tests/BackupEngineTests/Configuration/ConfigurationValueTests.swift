import BackupEngine
import Testing

@Suite struct ConfigurationValueTests {
    @Test(arguments: [
        ("0", 0), ("3600", 3_600), ("30s", 30), ("10m", 600), ("1H", 3_600), ("7d", 604_800), ("2W", 1_209_600),
    ])
    func `a time is read in seconds`(text: String, seconds: Int) {
        #expect(Quantity.seconds(text) == seconds)
    }

    @Test(arguments: ["", "s", "-1", "1.5h", "1 h", "1y", "1hh", "99999999999999999999", "9223372036854775807w"])
    func `a malformed or too large time is refused`(text: String) {
        #expect(Quantity.seconds(text) == nil)
    }

    @Test(arguments: [
        ("512", 512), ("512B", 512), ("1K", 1_024), ("64kb", 65_536), ("10M", 10_485_760), ("2GB", 2_147_483_648),
        ("4G", 4_294_967_296), ("1t", 1_099_511_627_776), ("3TB", 3_298_534_883_328),
    ])
    func `a size is read in bytes, counted by 1024`(text: String, bytes: Int) {
        #expect(Quantity.bytes(text) == bytes)
    }

    @Test(arguments: ["", "K", "1KiB", "1P", "-1", "0x10", "1.5G", "9999999999T"])
    func `a malformed or too large size is refused`(text: String) {
        #expect(Quantity.bytes(text) == nil)
    }

    @Test func `a retention is read with placeholders and without its tail`() {
        #expect(RetentionPolicy("7, -, -, -") == RetentionPolicy(days: 7))
        #expect(RetentionPolicy("7") == RetentionPolicy(days: 7))
        #expect(RetentionPolicy("7,4,12,5") == RetentionPolicy(days: 7, weeks: 4, months: 12, years: 5))
        #expect(RetentionPolicy("x, 4, , 0") == RetentionPolicy(weeks: 4))
        #expect(RetentionPolicy("7, 4").map(\.text) == "7, 4, -, -")
    }

    @Test(arguments: ["", "-", "-,-,-,-", "7,1,1,1,1", "-7", "seven"])
    func `a retention that keeps nothing or is malformed is refused`(text: String) {
        #expect(RetentionPolicy(text) == nil)
    }

    @Test(arguments: [
        ("compresion", "compression"), ("hots", "host"), ("stroage_engine", "storage_engine"), ("ZSTD", "zstd"),
    ])
    func `the nearest name is found`(typed: String, expected: String) {
        #expect(NearestName.find(typed, among: ["host", "compression", "storage_engine", "zstd"]) == expected)
    }

    @Test func `a word that is near to nothing gives no name`() {
        #expect(NearestName.find("banana", among: ["host", "compression"]) == nil)
        #expect(NearestName.find("", among: ["host"]) == nil)
    }
}
