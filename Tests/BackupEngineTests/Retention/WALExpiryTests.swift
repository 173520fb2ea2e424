import BackupEngine
import TestSupport
import Testing

@Suite struct WALExpiryTests {
    private func expiry(_ firsts: [String?]) throws -> WALExpiry {
        let labels = try firsts.indices.map { try #require(BackupLabel("2024010\($0 + 1)000000")) }
        return WALExpiry(
            remaining: zip(labels, firsts).map { label, first in
                WALExpiry.Backup(label: label, first: first.flatMap { WALFileName($0) })
            })
    }

    private func expires(_ name: String, _ expiry: WALExpiry) throws -> Bool {
        expiry.expires(try #require(WALFileName(name)).place)
    }

    @Test func `what stands before the oldest backup that stays goes, on every timeline`() throws {
        let expiry = try expiry(["000000020000000100000005", "000000020000000100000009"])

        for name in ["000000020000000100000004", "0000000100000000000000FF", "000000030000000100000004"] {
            #expect(try expires(name, expiry), "\(name)")
        }
        for name in ["000000020000000100000005", "000000010000000100000005", "000000030000000200000000"] {
            #expect(try !expires(name, expiry), "\(name)")
        }
        #expect(expiry.first?.string == "000000020000000100000005")
        #expect(expiry.reason.description == "needed by 20240101000000")
    }

    @Test func `the oldest place counts, whichever label and timeline it has`() throws {
        let expiry = try expiry(["000000020000000000000009", "000000010000000000000003", "000000030000000000000007"])

        #expect(expiry.first?.string == "000000010000000000000003")
        #expect(expiry.reason.description == "needed by 20240102000000")
    }

    @Test func `partial segments and notes of backups go with the segments of their place`() throws {
        let expiry = try expiry(["000000010000000000000005"])

        #expect(try expires("000000010000000000000004.partial", expiry))
        #expect(try expires("000000010000000000000004.00000028.backup", expiry))
        #expect(try !expires("000000010000000000000005.00000028.backup", expiry))
    }

    @Test func `nothing goes without a backup, or while one of them cannot be read`() throws {
        let none = try expiry([])
        let unknown = try expiry(["000000010000000000000005", nil])

        #expect(try !expires("000000010000000000000001", none))
        #expect(none.reason == .noBackup)
        #expect(try !expires("000000010000000000000001", unknown))
        #expect(unknown.reason.description == "may be needed by 20240102000000, which cannot be read now")
    }

    /// Every way through the log that begins at a backup's first segment goes on with segments of ascending places, each on the
    /// same or a later timeline.
    @Test func `no way from a backup that stays loses a segment`() throws {
        var numbers = SeededNumbers(seed: 11)
        for _ in 0..<500 {
            let firsts = (0..<Int.random(in: 1...5, using: &numbers)).map { _ in
                (timeline: Int.random(in: 1...4, using: &numbers), place: Int.random(in: 0...600, using: &numbers))
            }
            func name(_ timeline: Int, _ place: Int) -> String {
                func digits(_ number: Int) -> String {
                    let text = String(number, radix: 16, uppercase: true)
                    return String(repeating: "0", count: 8 - text.utf8.count) + text
                }
                return digits(timeline) + digits(place / 256) + digits(place % 256)
            }
            let expiry = try expiry(firsts.map { name($0.timeline, $0.place) })
            for first in firsts {
                var (timeline, place) = first
                while place < 700 {
                    #expect(try !expires(name(timeline, place), expiry))
                    if Int.random(in: 0..<50, using: &numbers) == 0 { timeline += 1 } else { place += 1 }
                }
            }
        }
    }
}
