import TestSupport
import Testing

@testable import BackupEngine

extension FormatTests {
    @Suite struct Tar {
        /// Keeps what a reader finds.
        final class Collector: TarVisitor {
            var members: [Member] = []
            var contents: [[UInt8]] = []
            var ended = 0

            func begin(_ member: Member) { (members, contents) = (members + [member], contents + [[]]) }
            func content(_ bytes: UnsafeRawBufferPointer) {
                unsafe contents[contents.count - 1].append(contentsOf: bytes)
            }
            func end() { ended += 1 }
        }

        /// A tree with what archives of PostgreSQL have, and its tar archive.
        static func archive() throws -> (folder: TemporaryFolder, bytes: [UInt8]) {
            let folder = try TemporaryFolder()
            let deep = "tree/" + String(repeating: "d", count: 90) + "/" + String(repeating: "f", count: 90)
            try folder.write(Array("17\n".utf8), to: "tree/PG_VERSION")
            try folder.write([UInt8](repeating: 7, count: 512), to: "tree/one block")
            try folder.write((0..<1300).map { UInt8(truncatingIfNeeded: $0) }, to: "tree/base/1/ü")
            try folder.write([1], to: deep)
            try folder.write([], to: "tree/empty")
            try Program.check("/bin/ln", ["-s", "/srv/space", folder.path("tree/link")])
            try Program.check("/bin/chmod", ["640", folder.path("tree/empty")])
            let outcome = try Program.run(
                "/bin/tar",
                ["--format=ustar", "--sort=name", "--mtime=@1735689600", "-C", folder.path("tree"), "-c", "."])
            #expect(outcome.status == 0, "\(outcome.errorText)")
            return (folder, outcome.output)
        }

        static func read(_ bytes: [UInt8], pieces: Int, into collector: Collector) throws -> TarReader {
            var reader = TarReader()
            for start in stride(from: 0, to: bytes.count, by: pieces) {
                try unsafe bytes[start..<min(bytes.count, start + pieces)].withUnsafeBytes {
                    try unsafe reader.consume($0, visitor: collector)
                }
            }
            return reader
        }

        @Test(arguments: [1, 7, 511, 512, 513, 4096, 1 << 20])
        func `an archive made by tar is understood in pieces of any length`(pieces: Int) throws {
            let (folder, bytes) = try Tar.archive()
            let collector = Collector()

            let reader = try Tar.read(bytes, pieces: pieces, into: collector)

            #expect(reader.isBetweenEntries)
            #expect(reader.offset == bytes.count)
            #expect(collector.ended == collector.members.count)
            let found = collector.members.filter { !$0.path.isEmpty }.map { $0.path + ($0.kind == .folder ? "/" : "") }
            let expected = try folder.tree().map { String($0.dropFirst(5)) }.filter { !$0.isEmpty }
            #expect(found.sorted() == expected.sorted())
            for (member, content) in zip(collector.members, collector.contents) {
                switch member.kind {
                case .file:
                    let written = try folder.read("tree/" + member.path)
                    #expect(content == written)
                    #expect(Array(bytes[member.offset..<member.offset + member.byteCount]) == content)
                    #expect(member.modifiedAt == 1_735_689_600)
                case .incremental: Issue.record("tar has no incremental files")
                case .folder: #expect(content.isEmpty)
                case .link: #expect((member.path, member.linkTarget) == ("link", "/srv/space"))
                }
            }
            #expect(collector.members.first { $0.path == "empty" }?.mode == 0o640)
        }

        @Test func `an archive that ends in the middle is noticed`() throws {
            let bytes = try Tar.archive().bytes
            let collector = Collector()
            _ = try Tar.read(bytes, pieces: bytes.count, into: collector)
            let ends = Set(
                collector.members.flatMap { member in
                    [member.offset - 512, member.offset + (member.byteCount + 511) / 512 * 512]
                })
            let last = try #require(ends.max())

            for count in 0..<last where !ends.contains(count) {
                let reader = try Tar.read(Array(bytes.prefix(count)), pieces: 1 << 20, into: Collector())
                #expect(!reader.isBetweenEntries, "\(count)")
            }
        }

        @Test func `a changed byte in a header is refused`() throws {
            let bytes = try Tar.archive().bytes
            for position in 0..<512 {
                var changed = bytes
                changed[position] ^= 0x01
                // In the checksum field itself a blank or zero behind the digits may change without a new meaning.
                if (154..<156).contains(position) { continue }
                #expect(throws: TarError.self, "\(position)") {
                    try Tar.read(changed, pieces: 1 << 20, into: Collector())
                }
            }
        }

        @Test func `bytes behind the end mark are refused`() throws {
            var bytes = try Tar.archive().bytes
            bytes[bytes.count - 1] = 1
            #expect(throws: TarError.self) { try Tar.read(bytes, pieces: 512, into: Collector()) }
        }

        @Test(arguments: ["../evil", "a/../../evil", "/etc/passwd", "a//b"])
        func `an entry that leaves the data directory is refused`(path: String) {
            let header = TarHeader.make(path: path, byteCount: 0, mode: 0o600, modifiedAt: 0)
            let error = FormatTests.error { try ArchiveTap(makeDigest: nil).consume(unsafe header.span.bytes) }
            #expect((error as? EngineError)?.reason == .streamMalformed)
        }

        @Test func `an entry of an unknown type is refused`() throws {
            let folder = try TemporaryFolder()
            try Program.check("/usr/bin/mkfifo", [folder.path("pipe")])
            let bytes = try Program.run("/bin/tar", ["--format=ustar", "-C", folder.path, "-c", "pipe"]).output
            #expect(throws: TarError.self) { try Tar.read(bytes, pieces: 512, into: Collector()) }
        }

        /// tar writes sizes from 8 GiB on as GNU's base-256 numbers.
        @Test(arguments: [1 << 33, 9_663_676_417, 1 << 40])
        func `a size of 8 GiB and more is read as tar writes it`(byteCount: Int) throws {
            let folder = try TemporaryFolder()
            try Program.check("/usr/bin/truncate", ["-s", String(byteCount), folder.path("big")])
            let script = "tar --format=gnu -C '\(folder.path)' -c big 2>/dev/null | head -c 512"
            let header = try Program.run("/bin/sh", ["-c", script]).output

            let member = try TarHeader.parse(header, contentOffset: 512)

            #expect(header[124] == 0x80)
            #expect(member.byteCount == byteCount)
        }

        @Test(arguments: [0, 1, 16 << 20, (1 << 33) - 1, 1 << 33, 1 << 41])
        func `tar lists an entry of ours with its size`(byteCount: Int) throws {
            let name = "000000010000000000000002"
            let header = TarHeader.make(path: name, byteCount: byteCount, mode: 0o600, modifiedAt: 1_735_689_600)

            // The content does not follow, which tar notices only behind the line.
            let line = try Program.run(
                "/bin/tar", ["-tvf", "-"], environment: ["TZ": "UTC", "LC_ALL": "C"], input: header
            ).text.split(separator: " ")

            #expect(line.first == "-rw-------")
            #expect(line.dropFirst(2).first == "\(byteCount)")
            #expect(line.last == "\(name)\n")
        }

        @Test(arguments: [1, 99, 100, 101, 156, 255, 256, 257, 700])
        func `tar unpacks an entry of ours with its name, whatever its length`(byteCount: Int) throws {
            let folder = try TemporaryFolder()
            // Names of at most 200 bytes, some of which are not UTF-8.
            let path = (1...byteCount).map { $0 % 201 == 200 && $0 < byteCount ? 0x2F : UInt8(0xDF + $0 % 3) }
            let entry = TarHeader.Entry(path: path, byteCount: 4, mode: 0o640, modifiedAt: 1_735_689_600)
            let end = [UInt8](repeating: 0, count: 1024)
            let tar = TarHeader.make(entry) + Array("mine".utf8) + TarHeader.padding(behind: 4) + end

            let outcome = try Program.run("/bin/tar", ["-x", "-C", folder.path, "-f", "-"], input: tar)

            #expect(outcome.status == 0, "\(outcome.errorText)")
            let found = try Program.run(
                "/usr/bin/find", [folder.path, "-type", "f", "-printf", "%P %s %m %T@"], environment: ["LC_ALL": "C"])
            #expect(found.output.starts(with: path + Array(" 4 640 1735689600".utf8)))
        }
    }
}
