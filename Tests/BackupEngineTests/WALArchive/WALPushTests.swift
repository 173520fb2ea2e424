import BackupAPI
import BackupConformance
import BackupEngine
import Foundation
import TestSupport
import Testing

@Suite struct WALPushTests {
    private let lab: WALLab
    private var segment = SampleSegment(number: 3)

    init() throws {
        lab = try WALLab()
        segment.addCommit(at: 1_700_000_000_000_000)
        segment.addRestorePoint("here")
    }

    private static let chains: [(String?, String?)] = [
        (nil, nil), ("zstd", nil), ("gzip", nil), ("lz4", nil), ("bzip2", nil), ("zstd", "aes-256-gcm"),
        (nil, "aes-128-cbc"),
    ]

    @Test(arguments: chains)
    func `a segment comes back byte for byte, however it is encoded`(
        compression: String?, encryption: String?
    ) async throws {
        let outcome = try await lab.push(
            lab.file(segment), to: [lab.backend()], compression: compression, encryption: encryption)

        #expect(outcome.targets.allSatisfy { $0.failure == nil })
        #expect(try await lab.fetch(segment.name, from: [lab.backend()]))
        #expect(try lab.bytes(lab.restored()) == segment.bytes)
    }

    @Test func `the record of a segment says what is in it`() async throws {
        _ = try await lab.push(lab.file(segment), to: [lab.backend()])

        let name = try #require(WALFileName(segment.name))
        let found = try await lab.archive(lab.backend()).record(name)

        let record = try #require(found?.segment)
        #expect(record.systemIdentifier == "7000000000000000007")
        #expect(record.majorVersion == 17)
        #expect(record.lastTransactionAt == 1_700_000_000_000_000)
        #expect(record.restorePoints == ["here"])
    }

    @Test func `the stored bytes are those of the usual tool`() async throws {
        _ = try await lab.push(lab.file(segment), to: [lab.backend()])

        let object = try #require(lab.objects().first { $0.hasSuffix(".zstd") })
        let plain = try Program.run(
            "/usr/bin/zstd", ["-dc", lab.folder.path("one/primary/wal/00000001/\(object)")])
        #expect(plain.output == segment.bytes)
    }

    @Test func `history, backup and partial files come back too`() async throws {
        let files: [(String, [UInt8])] = [
            ("00000002.history", Array("1\t0/3000060\tno recovery target specified\n".utf8)),
            ("000000010000000000000003.00000028.backup", Array("START WAL LOCATION: 0/3000028\n".utf8)),
            ("\(segment.name).partial", segment.bytes),
        ]
        for (name, content) in files {
            _ = try await lab.push(lab.file(name, content), to: [lab.backend()])

            #expect(try await lab.fetch(name, from: [lab.backend()]))
            #expect(try lab.bytes(lab.restored()) == content, "\(name)")
        }
    }

    @Test func `the same file is archived again without a trace, in any encoding`() async throws {
        let path = try lab.file(segment)
        _ = try await lab.push(path, to: [lab.backend()])
        let before = lab.objects()

        let again = try await lab.push(path, to: [lab.backend()], compression: "gzip")

        #expect(again.targets.allSatisfy { $0.failure == nil })
        #expect(again.storedByteCount == 0)
        #expect(lab.objects() == before)
        #expect(before.count == 2)
    }

    @Test func `another file under the same name is refused, and the first one stays`() async throws {
        _ = try await lab.push(lab.file(segment), to: [lab.backend()])
        var other = segment
        other.addRestorePoint("there")

        await #expect(throws: EngineError.self) { _ = try await lab.push(lab.file(other), to: [lab.backend()]) }

        #expect(try await lab.fetch(segment.name, from: [lab.backend()]))
        #expect(try lab.bytes(lab.restored()) == segment.bytes)
    }

    @Test func `a target that missed the file gets it the next time, and the one that has it is left alone`()
        async throws
    {
        let path = try lab.file(segment)
        _ = try await lab.push(path, to: [lab.backend("one")])
        let before = lab.objects()

        let outcome = try await lab.push(path, to: [lab.backend("one"), lab.backend("two")])

        #expect(outcome.targets.allSatisfy { $0.failure == nil })
        #expect(lab.objects() == before)
        #expect(try await lab.fetch(segment.name, from: [lab.backend("two")]))
    }

    @Test func `a target that fails is named, and the others have the file`() async throws {
        let broken = FaultyBackend(lab.backend("two")) { _ in WALLab.fault }

        let outcome = try await lab.push(lab.file(segment), to: [lab.backend("one"), broken])

        #expect(outcome.targets.map { $0.failure == nil } == [true, false])
        #expect(try await lab.fetch(segment.name, from: [lab.backend("one")]))
    }

    @Test func `bytes that are lost are stored again with the file that they were of`() async throws {
        let path = try lab.file(segment)
        _ = try await lab.push(path, to: [lab.backend()])
        let object = try #require(lab.objects().first { $0.hasSuffix(".zstd") })
        try FileManager.default.removeItem(atPath: lab.folder.path("one/primary/wal/00000001/\(object)"))

        _ = try await lab.push(path, to: [lab.backend()])

        #expect(try await lab.fetch(segment.name, from: [lab.backend()]))
        #expect(try lab.bytes(lab.restored()) == segment.bytes)
    }

    @Test func `of many runs with the same file all succeed, and one copy is left`() async throws {
        let path = try lab.file(segment)
        _ = try await lab.push(lab.file("00000002.history", Array("1\t0/3000060\tx\n".utf8)), to: [lab.backend()])

        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try await lab.push(path, to: [lab.backend()]).targets.allSatisfy { $0.failure == nil }
                }
            }
            for try await isDone in group { #expect(isDone) }
        }

        #expect(lab.objects().count == 2)
        #expect(try await lab.fetch(segment.name, from: [lab.backend()]))
    }

    @Test func `a file that is not what its name says is refused`() async throws {
        let cases: [(String, [UInt8])] = [
            ("000000010000000000000004", segment.bytes), (segment.name, Array(segment.bytes.dropLast(8192))),
            (segment.name, [UInt8](repeating: 0, count: 1 << 20)), (segment.name, []),
            ("00000002.history", Array("nonsense".utf8)), ("notes.txt", Array("hello".utf8)),
        ]
        for (name, content) in cases {
            let path = try lab.file(name, content)
            await #expect(throws: EngineError.self, "\(name)") {
                _ = try await lab.push(path, to: [lab.backend()])
            }
        }
        #expect(lab.objects() == [])
    }

    @Test func `a segment of another cluster is refused`() async throws {
        _ = try await lab.push(lab.file(segment), to: [lab.backend()])
        let foreign = SampleSegment(number: 4, systemIdentifier: 8)

        do {
            _ = try await lab.push(lab.file(foreign), to: [lab.backend()])
            Issue.record("it was archived")
        } catch let error as EngineError {
            #expect(error.reason == .otherCluster)
        }
    }
}
