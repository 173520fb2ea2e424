import BackupAPI
import BackupConformance
import BackupEngine

extension EngineService {
    func checkTarget(_ request: TargetCheckRequest, progress: ProgressCounter) async throws -> TargetCheckAnswer {
        try await running(.targetCheck, request.target.name) {
            let backend = try await open(request.target)
            // What keeps every call from succeeding is told once, and not as a violation of each law.
            _ = try await backend.list(ListRequest(prefix: TargetMeasurement.folder + "/", limit: 1))
            let report = await BackendConformance(
                makeBackend: { try await connect(request.target) }, prefix: TargetMeasurement.folder
            ).run()
            let checks = report.findings.compactMap { finding in
                switch finding.outcome {
                case .passed: TargetCheckAnswer.Check(law: finding.law)
                case .notClaimed: nil as TargetCheckAnswer.Check?
                case .violated(let words): TargetCheckAnswer.Check(law: finding.law, fault: words)
                }
            }
            let measured = try await TargetMeasurement(backend, clock: session.clock)
            // The first create-only write may have told more, so the capabilities are asked for at the end.
            var answer = TargetCheckAnswer(
                target: request.target.name, location: backend.displayName, checks: checks,
                capabilities: backend.capabilities)
            answer.latencyMicroseconds = measured.latencyMicroseconds
            answer.writeBytesPerSecond = measured.writeBytesPerSecond
            answer.readBytesPerSecond = measured.readBytesPerSecond
            answer.freeByteCount = measured.freeByteCount
            answer.clockSkewSeconds = measured.clockSkew?.seconds
            answer.capabilities.remarks += report.remarks
            if let remark = measured.clockSkew?.remark { answer.capabilities.remarks.append(remark) }
            return answer
        }
    }
}

/// How fast a target is and what its clock shows, found out with objects of its own that are removed again.
private struct TargetMeasurement: Sendable {
    /// Where objects are made for a check.
    static let folder = ".pgmoneta-check"

    let latencyMicroseconds: Int
    let writeBytesPerSecond: Int
    let readBytesPerSecond: Int
    let freeByteCount: Int?
    let clockSkew: ClockSkew?

    /// Writes, reads and looks at an object of 16 MiB; the latency is the median of nine looks.
    init(_ backend: any StorageBackend, clock: CommandClock) async throws {
        let uptime = clock.uptime
        let key = try ObjectKey(Self.folder + "/speed")
        let piece = [UInt8]((0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) })
        let pieces = 16
        // Whether the server decides create-only writes shows with the first of them.
        _ = try await backend.create(try ObjectKey(Self.folder + "/create"), bytes: [1])
        let begin = uptime()
        try await backend.put(key) { (upload: inout Upload) in
            for _ in 0..<pieces { try await upload.write(piece) }
        }
        let written = uptime()
        _ = try await backend.read(key, limit: pieces << 20)
        let read = uptime()
        var latencies: [Duration] = []
        for _ in 0..<9 {
            let start = uptime()
            _ = try await backend.stat(key)
            latencies.append(uptime() - start)
        }
        let before = clock.unixSeconds()
        let there = try await backend.unixSeconds()
        clockSkew = there.map { ClockSkew(there: $0, before: before, after: clock.unixSeconds()) }
        freeByteCount = try await backend.freeByteCount()
        _ = try await backend.delete([key, try ObjectKey(Self.folder + "/create")])
        latencyMicroseconds = Self.microseconds(latencies.sorted()[latencies.count / 2])
        writeBytesPerSecond = Self.rate(pieces << 20, written - begin)
        readBytesPerSecond = Self.rate(pieces << 20, read - written)
    }

    private static func microseconds(_ duration: Duration) -> Int {
        Int(duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000)
    }

    private static func rate(_ bytes: Int, _ duration: Duration) -> Int {
        bytes * 1_000_000 / max(1, microseconds(duration))
    }
}
