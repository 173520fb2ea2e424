import BackupAPI
import Testing

@testable import BackupEngine

extension FormatTests {
    @Suite struct Index {
        static let member = Member(
            kind: .file, path: "base/1/ü 1259", mode: 0o600, modifiedAt: -1, byteCount: 700, offset: 512,
            checksum: 0xDEAD_BEEF)
        static let index = BackupIndex(archives: [
            BackupIndex.Archive(
                name: "base", location: "", plainByteCount: 2048, headerByteCount: 210,
                volumes: [
                    StoredObject(path: "data/base.000001.tar.zstd", bytes: 300, sha512: "0a"),
                    StoredObject(path: "data/base.000002.tar.zstd", bytes: 1 << 40, sha512: "0b"),
                ],
                frames: [StoredFrame(byteCount: 90, checksum: 1), StoredFrame(byteCount: .max, checksum: .max)],
                members: [
                    member, Member(kind: .folder, path: "base/1", mode: 0o700, modifiedAt: 0, byteCount: 0, offset: 0),
                    Member(
                        kind: .link, path: "pg_tblspc/16385", mode: 0o777, modifiedAt: 1, byteCount: 0, offset: 2048,
                        linkTarget: "/srv/space"),
                ]),
            BackupIndex.Archive(
                name: "16385", location: "/srv/space", plainByteCount: 0, headerByteCount: 0, volumes: [], frames: [],
                members: []),
        ])

        @Test func `what is encoded is decoded`() throws {
            let bytes = Index.index.encoded()

            let decoded = try BackupIndex(decoding: bytes)

            #expect(decoded.encoded() == bytes)
            #expect(decoded.archives.map(\.name) == ["base", "16385"])
            #expect(decoded.archives.map(\.location) == ["", "/srv/space"])
            #expect(decoded.archives[0].plainByteCount == 2048)
            #expect(decoded.archives[0].headerByteCount == 210)
            #expect(decoded.archives[0].volumes == Index.index.archives[0].volumes)
            #expect(decoded.archives[0].frames == Index.index.archives[0].frames)
            #expect(decoded.archives[0].members == Index.index.archives[0].members)
        }

        @Test func `the bytes are the documented ones`() throws {
            let small = BackupIndex(archives: [
                BackupIndex.Archive(
                    name: "b", location: "", plainByteCount: 0x0102, headerByteCount: 3,
                    volumes: [StoredObject(path: "v", bytes: 4, sha512: "s")],
                    frames: [StoredFrame(byteCount: 5, checksum: 6)],
                    members: [
                        Member(
                            kind: .link, path: "p", mode: 0o777, modifiedAt: -2, byteCount: 0, offset: 7, checksum: 8,
                            linkTarget: "t")
                    ])
            ])

            let expected =
                "50474d494e444558 01000000 01000000" + " 0100 62 0000 0201000000000000 03000000"
                + " 01000000 0100 76 0400000000000000 0100 73" + " 01000000 05000000 06000000"
                + " 01000000 02 ff010000 feffffffffffffff 0000000000000000 0700000000000000 08000000 0100 70 0100 74"
            #expect(hexadecimal(small.encoded().dropLast(4)) == expected.replacing(" ", with: ""))
        }

        @Test func `every truncation is refused, even with a right checksum`() throws {
            let bytes = Index.index.encoded()
            for count in 0..<bytes.count {
                let cut = Array(bytes.prefix(count))
                #expect(throws: EngineError.self, "\(count)") { try BackupIndex(decoding: cut) }
                guard count < bytes.count - 4 else { continue }
                #expect(throws: EngineError.self, "\(count)") { try BackupIndex(decoding: Index.sealed(cut)) }
            }
        }

        @Test func `every changed bit is refused`() {
            let bytes = Index.index.encoded()
            for position in bytes.indices {
                for bit in 0..<8 {
                    var changed = bytes
                    changed[position] ^= 1 << bit
                    #expect(FormatTests.error { _ = try BackupIndex(decoding: changed) } is EngineError)
                }
            }
        }

        @Test func `bytes behind the end are refused`() {
            let body = Index.index.encoded().dropLast(4)
            #expect(throws: EngineError.self) { try BackupIndex(decoding: Index.sealed(body + [0])) }
        }

        @Test(arguments: ["", "/etc/passwd", "../x", "a/../../x", "a/.", "a//b", "a/", "a\u{01}b"])
        func `a member whose path leaves its root is refused`(path: String) {
            var index = Index.index
            index.archives[0].members[0].path = path
            #expect(throws: EngineError.self) { try BackupIndex(decoding: index.encoded()) }
        }

        @Test(arguments: [(512, 2048), (2049, 0), (1 << 59, 1 << 59)])
        func `a member that is not inside its archive is refused`(offset: Int, byteCount: Int) {
            var index = Index.index
            index.archives[0].members[0].offset = offset
            index.archives[0].members[0].byteCount = byteCount
            #expect(throws: EngineError.self) { try BackupIndex(decoding: index.encoded()) }
        }

        /// Puts the checksum behind a body, as a forger would.
        private static func sealed(_ body: some Collection<UInt8>) -> [UInt8] {
            let body = Array(body)
            let buffer = FrameBuffer(capacity: max(1, body.count))
            _ = buffer.append(unsafe body.span.bytes, from: 0)
            return body + (0..<4).map { UInt8(truncatingIfNeeded: buffer.checksum >> (8 * $0)) }
        }
    }
}
