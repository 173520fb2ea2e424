import BackupAPI
import BackupConformance
import Testing

struct BackendConformanceTests {
    @Test func `the memory backend keeps every law`() async {
        let place = MemoryBackend()
        var options = BackendConformance.Options()
        options.checksThousands = true
        options.secrets = [Secret("hunter2")]

        let report = await BackendConformance(makeBackend: { place }, prefix: "some/prefix", options: options).run()

        #expect(report.isConforming, "\(report)")
        #expect(report.findings.map(\.law) == BackendLaw.allCases.map(\.rawValue))
        #expect(report.outcome(of: .commitIsDurable) != .passed)
        #expect(report.outcome(of: .ifAbsentIsHonest) == .passed)
    }

    @Test func `a run leaves nothing behind and touches nothing else`() async throws {
        let place = MemoryBackend()
        let others = try ["object", "prefix/object", "prefix2/conformance-x/object"].map { try ObjectKey($0) }
        for key in others { try await place.put(key, bytes: [1, 2, 3]) }

        let report = await BackendConformance(makeBackend: { place }, prefix: "prefix").run()

        #expect(report.isConforming, "\(report)")
        #expect(place.keys == others)
        #expect(place.unfinishedCount == 0)
    }

    @Test(arguments: Flaw.allCases)
    func `a flaw is caught under its law`(_ flaw: Flaw) async {
        let place = MemoryBackend()
        var options = BackendConformance.Options()
        options.laws = [flaw.law]
        if flaw.law == .noSecretIsPrinted {
            options.laws.insert(.errorsHaveReasons)
            options.secrets = [Secret(BrokenBackend.secret)]
        }

        let report = await BackendConformance(
            makeBackend: { BrokenBackend(place, flaw) }, prefix: "", options: options
        ).run()

        guard case .violated(let words) = report.outcome(of: flaw.law) else {
            Issue.record("\(flaw) was not caught: \(report)")
            return
        }
        #expect(!words.contains("should succeed threw"), "\(words)")
        #expect(!words.contains(BrokenBackend.secret))
    }

    @Test func `a place that cannot be reached violates every law in those words`() async {
        let conformance = BackendConformance(
            makeBackend: { throw StorageError(.unavailable, operation: .open, target: "far") }, prefix: "")

        let report = await conformance.run()

        #expect(report.violations.count == BackendLaw.allCases.count)
        #expect(report.description.contains("round-trip: VIOLATED: cannot connect: cannot open the target at far"))
    }

    @Test(arguments: [
        (Flaw.checksIfAbsentAtBegin, BackendLaw.ifAbsentIsHonest), (.replacesInTwoSteps, .commitIsAtomic),
    ])
    func `what a place does not claim is said and not held against it`(flaw: Flaw, law: BackendLaw) async {
        let place = MemoryBackend()
        var options = BackendConformance.Options()
        options.laws = [law]

        let report = await BackendConformance(
            makeBackend: { ModestBackend(BrokenBackend(place, flaw)) }, prefix: "", options: options
        ).run()

        #expect(report.isConforming, "\(report)")
        #expect(report.outcome(of: law) != .passed)
        #expect(report.remarks.map { $0.contains("\(law.rawValue) is not claimed: ") } == [true])
    }
}

/// A backend that claims neither to decide races nor to replace in one step.
private struct ModestBackend: StorageBackend {
    private let inner: any StorageBackend

    init(_ inner: any StorageBackend) { self.inner = inner }

    var displayName: String { inner.displayName }
    var capabilities: Capabilities {
        var capabilities = inner.capabilities
        capabilities.hasAtomicCreate = false
        capabilities.hasAtomicReplace = false
        return capabilities
    }
    func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo { try await inner.stat(key) }
    func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        try await inner.openRead(key, range: range)
    }
    func beginWrite(_ key: ObjectKey, options: WriteOptions) async throws(StorageError) -> any UploadDriver {
        try await inner.beginWrite(key, options: options)
    }
    func list(_ request: ListRequest) async throws(StorageError) -> ListPage { try await inner.list(request) }
    func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] {
        try await inner.delete(keys)
    }
    func sweepUnfinished(prefix: String) async throws(StorageError) -> Int { 0 }
    func freeByteCount() async throws(StorageError) -> Int? { nil }
    func close() async {}
}
