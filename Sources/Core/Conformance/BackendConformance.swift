public import BackupAPI

/// Checks the laws of `StorageBackend` on a live place.
///
/// It needs no test framework: tests assert `report.isConforming`, and `target check` prints the report. Everything is
/// written into a folder of its own below `prefix`, with a random name, and removed at the end; nothing else is touched.
/// What cannot be checked from outside is a power cut: `commit-is-durable` looks only at what outlives the connection.
public struct BackendConformance: Sendable {
    /// How thoroughly to check.
    public struct Options: Sendable {
        /// The laws to check.
        public var laws: Set<BackendLaw> = Set(BackendLaw.allCases)
        /// Bytes of the largest object: set it above a backend's part size, so that several parts are written.
        public var largestByteCount = 6 << 20
        /// How many writers race for a key, each on a connection of its own.
        public var racingWriterCount = 4
        /// How many races are held.
        public var raceCount = 6
        /// Whether more than 1000 objects are written, listed and deleted, which takes long on a distant place.
        public var checksThousands = false
        /// What must not be printed; each is looked for in `displayName`, in the remarks and in every error.
        public var secrets: [Secret] = []

        /// Makes the usual options.
        public init() {}
    }

    private let makeBackend: @Sendable () async throws -> any StorageBackend
    private let prefix: String
    private let options: Options

    /// Prepares a run.
    /// - Parameters:
    ///   - makeBackend: opens a connection; called several times, and each must lead to the same place.
    ///   - prefix: where the run may make its folder; empty for the root of the target.
    public init(
        makeBackend: @escaping @Sendable () async throws -> any StorageBackend, prefix: String,
        options: Options = Options()
    ) {
        self.makeBackend = makeBackend
        self.prefix = prefix.isEmpty || prefix.utf8.last == UInt8(ascii: "/") ? prefix : prefix + "/"
        self.options = options
    }

    /// Checks law after law. It does not throw: a place that cannot be reached violates every law, in those words.
    public func run() async -> ConformanceReport {
        let laws = BackendLaw.allCases.filter { options.laws.contains($0) }
        let bench: ConformanceBench
        do {
            bench = try await ConformanceBench.open(
                makeBackend: makeBackend, prefix: prefix + "conformance-" + RunName.make(), options: options)
        } catch {
            let words = "cannot connect: \(ConformanceBench.words(for: error))"
            return ConformanceReport(laws.map { .init(law: $0.rawValue, outcome: .violated(words)) })
        }
        var findings: [ConformanceReport.Finding] = []
        for law in laws {
            findings.append(.init(law: law.rawValue, outcome: await outcome(of: law, on: bench)))
        }
        await bench.close()
        return ConformanceReport(findings)
    }

    private func outcome(of law: BackendLaw, on bench: ConformanceBench) async -> ConformanceReport.Outcome {
        bench.begin(law)
        var outcome = ConformanceReport.Outcome.passed
        do {
            try await bench.check(law)
        } catch let violation as LawViolation {
            outcome = .violated(violation.words)
        } catch let gap as LawNotClaimed {
            outcome = .notClaimed(gap.words)
        } catch {
            outcome = .violated("a call that should succeed threw: \(ConformanceBench.words(for: error))")
        }
        let leftover = await bench.cleanUp()
        if let leftover, outcome == .passed { outcome = .violated("cleaning up: \(leftover)") }
        return outcome
    }
}

extension ConformanceBench {
    /// Runs the check of one law.
    func check(_ law: BackendLaw) async throws {
        switch law {
        case .roundTrip: try await checkRoundTrip()
        case .commitIsAtomic: try await checkCommitIsAtomic()
        case .commitIsDurable: try await checkCommitIsDurable()
        case .readAfterWrite: try await checkReadAfterWrite()
        case .replaceIsWhole: try await checkReplaceIsWhole()
        case .ifAbsentIsHonest: try await checkIfAbsentIsHonest()
        case .abortLeavesNothing: try await checkAbortLeavesNothing()
        case .cancelLeavesNothing: try await checkCancelLeavesNothing()
        case .deleteIsIdempotent: try await checkDeleteIsIdempotent()
        case .listIsOrdered: try await checkListIsOrdered()
        case .listHidesTemporaries: try await checkListHidesTemporaries()
        case .namesAreKept: try await checkNamesAreKept()
        case .errorsHaveReasons: try await checkErrorsHaveReasons()
        case .callsMayOverlap: try await checkCallsMayOverlap()
        case .sweepIsCareful: try await checkSweepIsCareful()
        case .noSecretIsPrinted: try await checkNoSecretIsPrinted()
        }
    }
}
