import BackupAPI
import BackupConformance
import BackupEngine
import Codecs
import Foundation
import TestSupport
import Testing

@Suite struct WALFetchTests {
    private let lab: WALLab
    private let segments: [SampleSegment]

    init() throws {
        lab = try WALLab()
        segments = (UInt64(4094)..<4102).map { number in
            var segment = SampleSegment(number: number)
            segment.addCommit(at: 1_700_000_000_000_000 + Int64(number))
            return segment
        }
    }

    private func pushAll(to backends: [any StorageBackend], encryption: String? = nil) async throws {
        for segment in segments { _ = try await lab.push(lab.file(segment), to: backends, encryption: encryption) }
    }

    @Test func `what no target has is not there, and that is no fault`() async throws {
        try await pushAll(to: [lab.backend()])

        for name in ["00000002.history", "000000010000000100000009", "000000020000000000000001"] {
            #expect(try await !lab.fetch(name, from: [lab.backend()]), "\(name)")
        }
        #expect(!FileManager.default.fileExists(atPath: lab.restored()))
    }

    @Test func `a target that does not answer is a fault where no other one has the file`() async throws {
        try await pushAll(to: [lab.backend()])
        let dead = FaultyBackend(lab.backend()) { _ in WALLab.fault }

        await #expect(throws: StorageError.self) { _ = try await lab.fetch(segments[0].name, from: [dead]) }
        await #expect(throws: StorageError.self) {
            _ = try await lab.fetch("00000002.history", from: [dead, lab.backend()])
        }
        #expect(try await lab.fetch(segments[0].name, from: [dead, lab.backend()]))
        #expect(try lab.bytes(lab.restored()) == segments[0].bytes)
    }

    @Test func `whichever call fails, the file is whole or not there, and nobody says that the archive ends`()
        async throws
    {
        try await pushAll(to: [lab.backend()])
        var number = 1
        while true {
            let failing = number
            let faulty = FaultyBackend(lab.backend()) { $0.number == failing ? WALLab.fault : nil }
            let isThere = try? await lab.fetch(segments[0].name, from: [faulty])
            #expect(isThere != false, "call \(number)")
            if isThere == true { break }
            #expect(!FileManager.default.fileExists(atPath: lab.restored()), "call \(number)")
            number += 1
        }
        #expect(number > 3)
    }

    @Test func `damage is a fault, and another target heals it`() async throws {
        try await pushAll(to: [lab.backend("one"), lab.backend("two")])
        for object in lab.objects() where object.hasPrefix(segments[0].name) && object.hasSuffix(".zstd") {
            try lab.damage(object)
        }

        await #expect(throws: EngineError.self) {
            _ = try await lab.fetch(segments[0].name, from: [lab.backend("one")])
        }
        #expect(!FileManager.default.fileExists(atPath: lab.restored()))
        #expect(try await lab.fetch(segments[0].name, from: [lab.backend("one"), lab.backend("two")]))
        #expect(try lab.bytes(lab.restored()) == segments[0].bytes)
    }

    @Test(arguments: [nil, "zstd"] as [String?], [nil, "aes-256-gcm"] as [String?])
    func `a changed bit in any object of a file is found`(compression: String?, encryption: String?) async throws {
        let segment = SampleSegment(number: 9)
        _ = try await lab.push(
            lab.file(segment), to: [lab.backend()], compression: compression, encryption: encryption)
        let record = try #require(lab.objects().first { $0.hasSuffix(".json") })
        let object = try #require(lab.objects().first { !$0.hasSuffix(".json") })

        // In a plain repository nothing authenticates the record; what matters in it is compared with the bytes.
        for name in encryption == nil ? [object] : [object, record] {
            try lab.damage(name)
            await #expect(throws: EngineError.self, "\(name)") {
                _ = try await lab.fetch(segment.name, from: [lab.backend()])
            }
            try lab.damage(name)
        }
        #expect(try await lab.fetch(segment.name, from: [lab.backend()]))
    }

    @Test func `stored bytes under another segment's name are found`() async throws {
        try await pushAll(to: [lab.backend()])
        let folder = lab.folder.path("one/primary/wal/00000001")
        let record = "\(folder)/\(segments[0].name).json"
        let other = try String(contentsOfFile: "\(folder)/\(segments[1].name).json", encoding: .utf8)
        let forged = other.replacing("\"name\" : \"\(segments[1].name)\"", with: "\"name\" : \"\(segments[0].name)\"")
        try #require(forged != other)
        try Data(forged.utf8).write(to: URL(filePath: record))

        await #expect(throws: EngineError.self) {
            _ = try await lab.fetch(segments[0].name, from: [lab.backend()])
        }
    }

    @Test func `the segments that come next wait in the spool, over the end of a log file, and no more of them`()
        async throws
    {
        try await pushAll(to: [lab.backend()], encryption: "aes-256-gcm")
        let names = segments.map(\.name)

        #expect(try await lab.fetch(names[0], from: [lab.backend()], ahead: 3))

        #expect(try await lab.spoolHolds(Array(names[1...2])))
        #expect(names[2] == "000000010000000100000000")
        // They are served without the target, and from the first one that is taken on three are kept ready while there are more.
        let dead = FaultyBackend(lab.backend()) { _ in WALLab.fault }
        for number in 1..<segments.count {
            #expect(try await lab.fetch(names[number], from: [dead], ahead: 3))
            #expect(try lab.bytes(lab.restored()) == segments[number].bytes)
            #expect(try await lab.spoolHolds(Array(names[(number + 1)...].prefix(3))), "\(number)")
        }
        #expect(try await lab.spoolIsGone())
    }

    @Test func `a segment that was taken is fetched again at once, also while others come`() async throws {
        try await pushAll(to: [lab.backend()])
        let names = segments.map(\.name)
        #expect(try await lab.fetch(names[0], from: [lab.backend()], ahead: 3))
        #expect(try await lab.spoolHolds(Array(names[1...2])))

        // One who waits for what does not come waits for an hour here.
        for name in [names[1], names[1], names[0]] {
            #expect(try await lab.fetch(name, from: [lab.backend()], ahead: 3))
        }
        #expect(try lab.bytes(lab.restored()) == segments[0].bytes)
    }

    @Test func `one that another process is bringing is waited for, and fetched when that process ends without it`()
        async throws
    {
        try await pushAll(to: [lab.backend()])
        let spool = WALSpool(folder: lab.spool)
        var lock = try spool.lock()
        #expect(lock != nil)
        #expect(try spool.lock() == nil)
        // Nobody knows yet what that process brings.
        let waiting = Task { [lab, segments] in try await lab.fetch(segments[0].name, from: [lab.backend()]) }
        try await Task.sleep(for: .milliseconds(200))
        #expect(!FileManager.default.fileExists(atPath: lab.restored()))

        lock = nil

        #expect(try await waiting.value)
        #expect(try lab.bytes(lab.restored()) == segments[0].bytes)
    }

    @Test func `when nobody takes the segments any more, they wait and somebody else goes on`() async throws {
        try await pushAll(to: [lab.backend()])
        let spool = WALSpool(folder: lab.spool)

        #expect(try await lab.fetch(segments[0].name, from: [lab.backend()], ahead: 3, patience: .milliseconds(300)))

        var lock = try spool.lock()
        while lock == nil {
            try await Task.sleep(for: .milliseconds(20))
            lock = try spool.lock()
        }
        #expect(try await lab.spoolHolds(segments[1...2].map(\.name)))
        lock = nil
        let dead = FaultyBackend(lab.backend()) { _ in WALLab.fault }
        #expect(try await lab.fetch(segments[1].name, from: [dead]))
    }

    @Test func `of a folder that is used for the spool only the spool's own files go`() async throws {
        try await pushAll(to: [lab.backend()])
        try FileManager.default.createDirectory(atPath: lab.spool, withIntermediateDirectories: false)
        for name in ["postgresql.conf", segments[5].name, "000000010000000000000009.partial"] {
            try Data("mine".utf8).write(to: URL(filePath: "\(lab.spool)/\(name)"))
        }
        let foreign = lab.names(in: lab.spool)

        #expect(try await lab.fetch(segments[0].name, from: [lab.backend()], ahead: 3))
        #expect(try await !lab.fetch("00000002.history", from: [lab.backend()]))

        #expect(try await lab.comes { lab.names(in: lab.spool) == foreign })
    }

    @Test func `two copies of one server that replay have a spool each in a folder that they share`() {
        let names = ["/a/pg_wal", "/b/pg_wal", "/a/pg_wal"].map {
            WALSpool.name(for: "primary", of: $0, cryptography: OpenSSLCryptography())
        }

        #expect(names[0] == names[2])
        #expect(names[0] != names[1])
        #expect(names.allSatisfy { $0.hasPrefix("primary-") && !$0.contains("/") })
    }

    @Test func `a link in the spool's place is not followed`() async throws {
        try await pushAll(to: [lab.backend()])
        let other = lab.folder.path("other")
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
        let waiting = "\(other)/\(segments[1].name).0"
        try Data("x".utf8).write(to: URL(filePath: waiting))
        try FileManager.default.createSymbolicLink(atPath: lab.spool, withDestinationPath: other)

        #expect(try await lab.fetch(segments[0].name, from: [lab.backend()], ahead: 3))
        #expect(try await lab.fetch(segments[1].name, from: [lab.backend()], ahead: 3))
        #expect(try await !lab.fetch("00000002.history", from: [lab.backend()]))

        #expect(lab.names(in: other) == ["\(segments[1].name).0"])
    }

    @Test func `what waits in the spool is proven again, and thrown away when it is not what was fetched`() async throws
    {
        try await pushAll(to: [lab.backend()])
        #expect(try await lab.fetch(segments[0].name, from: [lab.backend()], ahead: 2))
        #expect(try await lab.spoolHolds(segments[1...2].map(\.name)))
        let waiting = try #require(lab.names(in: lab.spool).first)
        let path = "\(lab.spool)/\(waiting)"
        var content = try lab.bytes(path)
        content[content.count - 1] ^= 1
        try Data(content).write(to: URL(filePath: path))

        #expect(try await lab.fetch(segments[1].name, from: [lab.backend()]))

        #expect(try lab.bytes(lab.restored()) == segments[1].bytes)
    }

    @Test func `what waited for hours is fetched anew`() async throws {
        try await pushAll(to: [lab.backend()])
        #expect(try await lab.fetch(segments[0].name, from: [lab.backend()], ahead: 1))
        #expect(try await lab.spoolHolds([segments[1].name]))
        let dead = FaultyBackend(lab.backend()) { _ in WALLab.fault }

        await #expect(throws: StorageError.self) {
            _ = try await lab.fetch(segments[1].name, from: [dead], now: { time(nil) + 7200 })
        }
    }

    @Test func `at the end of the archive the spool is emptied`() async throws {
        try await pushAll(to: [lab.backend()])
        #expect(try await lab.fetch(segments[0].name, from: [lab.backend()], ahead: 3))
        #expect(try await lab.spoolHolds(segments[1...2].map(\.name)))

        #expect(try await !lab.fetch("00000002.history", from: [lab.backend()]))

        #expect(try await lab.spoolIsGone())
    }

    @Test func `what stands at the destination is replaced`() async throws {
        try await pushAll(to: [lab.backend()])
        try Data("old".utf8).write(to: URL(filePath: lab.restored()))

        #expect(try await lab.fetch(segments[0].name, from: [lab.backend()]))

        #expect(try lab.bytes(lab.restored()) == segments[0].bytes)
    }
}
