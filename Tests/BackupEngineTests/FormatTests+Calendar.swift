import TestSupport
import Testing

@testable import BackupEngine

extension FormatTests {
    @Suite struct Calendar {
        /// Borders of days, months, leap years and centuries, and moments between the years 1000 and 9999 from a fixed seed.
        static let moments: [Int] = {
            var moments = [
                0, 1, -1, 59, 86_399, 86_400, 68_169_599, 68_169_600, 68_256_000, 951_782_399, 951_782_400, 951_868_800,
                4_107_542_399, 4_107_542_400, 253_402_300_799, -30_610_224_000, 1_735_689_599, 1_735_689_600,
            ]
            var state: UInt64 = 2025
            for _ in 0..<3000 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                moments.append(Int(state >> 20) % 284_012_524_800 - 30_610_224_000)
            }
            return moments
        }()

        @Test func `moments are written and read as date does it`() throws {
            let lines = Calendar.moments.map { "@\($0)\n" }.joined()
            let dates = try Program.check("/bin/date", ["-u", "-f", "-", "+%Y%m%d%H%M%S"], input: Array(lines.utf8))

            for (seconds, text) in zip(Calendar.moments, dates.split(separator: "\n").map(String.init)) {
                let label = BackupLabel(secondsSince1970: seconds)
                #expect(label.string == text, "\(seconds)")
                #expect(label.secondsSince1970 == seconds)
                #expect(BackupLabel(text) == label)
            }
            #expect(dates.split(separator: "\n").count == Calendar.moments.count)
        }

        @Test(arguments: [
            "", "2025010203040", "202501020304055", "20250002030405", "20251302030405", "20250100030405",
            "20250132030405", "20250102240405", "20250102036005", "20250102030460", "2025010203040x", "+2025010203040",
            "٢٠٢٥٠١٠", " 0250102030405",
        ])
        func `what is no label is refused`(text: String) {
            #expect(BackupLabel(text) == nil)
        }

        @Test func `labels sort by time`() {
            let sorted = Calendar.moments.sorted().map { BackupLabel(secondsSince1970: $0) }
            #expect(sorted == sorted.sorted())
        }
    }
}
