/// What a run of a conformance list found, law by law. Printing it gives one line a law.
public struct ConformanceReport: Sendable, Hashable, CustomStringConvertible {
    /// What was found about one law.
    public enum Outcome: Sendable, Hashable {
        /// The check found no fault.
        case passed
        /// The law does not hold; the words say what was seen.
        case violated(String)
        /// The law is optional and not claimed; the words say what is missing.
        case notClaimed(String)
    }

    /// One law and what was found about it.
    public struct Finding: Sendable, Hashable {
        /// The law's name, such as `commit-is-atomic`.
        public let law: String
        /// What was found.
        public let outcome: Outcome

        /// Makes a finding.
        public init(law: String, outcome: Outcome) {
            self.law = law
            self.outcome = outcome
        }
    }

    /// In the order in which the laws were checked.
    public let findings: [Finding]

    /// Makes a report.
    public init(_ findings: [Finding]) { self.findings = findings }

    /// Whether no law is violated.
    public var isConforming: Bool { violations.isEmpty }

    /// The laws that do not hold.
    public var violations: [Finding] {
        findings.filter { if case .violated = $0.outcome { true } else { false } }
    }

    /// A remark for each law that is not claimed, such as `commit-is-durable is not claimed: …`.
    public var remarks: [String] {
        findings.compactMap { finding in
            guard case .notClaimed(let words) = finding.outcome else { return nil }
            return "\(finding.law) is not claimed: \(words)"
        }
    }

    /// What was found about a law; nil when it was not checked.
    public func outcome(of law: BackendLaw) -> Outcome? { findings.first { $0.law == law.rawValue }?.outcome }

    public var description: String {
        findings.map { finding in
            switch finding.outcome {
            case .passed: "\(finding.law): passed"
            case .violated(let words): "\(finding.law): VIOLATED: \(words)"
            case .notClaimed(let words): "\(finding.law): not claimed: \(words)"
            }
        }.joined(separator: "\n")
    }
}
