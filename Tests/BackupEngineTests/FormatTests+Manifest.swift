import Testing

@testable import BackupEngine

extension FormatTests {
    @Suite struct Manifest {
        static let text = #"""
            { "PostgreSQL-Backup-Manifest-Version": 2,
            "System-Identifier": 7450000000000000001,
            "Files": [
            { "Path": "backup_label", "Size": 227, "Last-Modified": "2025-01-01 00:00:00 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "0a1b2c3d" },
            { "Path": "a \"quoted\" \\ \/ \t\u0001 ü, {name} [x]: y", "Size": 0, "Last-Modified": "x" },
            { "Encoded-Path": "62fc", "Size": 9663676416, "Checksum-Algorithm": "SHA512", "Checksum": "00" }
            ],
            "WAL-Ranges": [
            { "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000120", "Path": "not a file" }
            ],
            "Manifest-Checksum": "11"}

            """#
        static let files = [
            ManifestFile(path: "backup_label", byteCount: 227, algorithm: "CRC32C", checksum: "0a1b2c3d"),
            ManifestFile(path: "a \"quoted\" \\ / \t\u{01} ü, {name} [x]: y", byteCount: 0),
            ManifestFile(path: "b\u{10FFFC}", byteCount: 9_663_676_416, algorithm: "SHA512", checksum: "00"),
        ]

        static func read(_ pieces: [ArraySlice<UInt8>]) throws -> [ManifestFile] {
            var reader = ManifestReader()
            var files: [ManifestFile] = []
            for piece in pieces {
                try unsafe piece.withUnsafeBytes { try unsafe reader.consume($0) { files.append($0) } }
            }
            try reader.finish()
            return files
        }

        @Test func `a manifest is read the same wherever it is split`() throws {
            let bytes = Array(Manifest.text.utf8)

            #expect(try Manifest.read([bytes[...]]) == Manifest.files)
            #expect(try Manifest.read(bytes.indices.map { bytes[$0..<$0 + 1] }) == Manifest.files)
            for split in bytes.indices {
                #expect(try Manifest.read([bytes[..<split], bytes[split...]]) == Manifest.files, "\(split)")
            }
        }

        @Test func `a manifest that ends too early is refused`() {
            let bytes = Array(Manifest.text.utf8)
            // Only the line feed behind the last bracket may be missing.
            for count in 0..<bytes.count - 1 {
                #expect(throws: ManifestError.self, "\(count)") { try Manifest.read([bytes[..<count]]) }
            }
        }

        @Test(arguments: [
            "{]", "{\"Files\":[}", "{}{}", "{}x", "[[[[[[[[[", "{\"a\": \"\\uZZZZ\"}", "}",
        ])
        func `what is no manifest is refused`(text: String) {
            #expect(throws: ManifestError.self) { try Manifest.read([Array(text.utf8)[...]]) }
        }

        @Test func `a file that is missing, too many or different is named`() throws {
            let tap = ArchiveTap(makeDigest: nil)
            let content = Array("17\n".utf8)
            let header = TarHeader.make(path: "PG_VERSION", byteCount: 3, mode: 0o600, modifiedAt: 0)
            try tap.consume(unsafe (header + content + [UInt8](repeating: 0, count: 509)).span.bytes)
            func check(_ files: [ManifestFile]) throws {
                var check = ManifestCheck(archives: [("base", tap)], hasChecksums: true)
                for file in files { try check.check(file) }
                try check.finish()
            }
            // crc32c("17\n") as the bytes of a little-endian number, as PostgreSQL prints it.
            let checksum = hexadecimal(
                (0..<4).map { UInt8(truncatingIfNeeded: tap.members[0].checksum >> (8 * $0)) })
            let right = ManifestFile(path: "PG_VERSION", byteCount: 3, algorithm: "CRC32C", checksum: checksum)
            var (long, altered, other) = (right, right, right)
            long.byteCount = 4
            altered.checksum = "00000000"
            other.path = "PG_VERSION2"

            try check([right])
            for wrong in [[], [long], [altered], [right, other]] {
                #expect(throws: EngineError.self) { try check(wrong) }
            }
        }
    }
}
