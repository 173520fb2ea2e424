/// One thing that is wrong in a configuration file.
package struct ConfigurationFault: Sendable, Hashable {
    /// The kinds of fault.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The file cannot be read, or is not UTF-8.
        case unreadable
        /// A line is not INI.
        case syntax
        /// A section or a key occurs twice.
        case duplicate
        /// There is no such kind of section.
        case unknownSection = "unknown-section"
        /// The section has no such key.
        case unknownKey = "unknown-key"
        /// The value is not one of those that are allowed.
        case invalidValue = "invalid-value"
        /// A needed section or key is not there.
        case missing
        /// A name points to nothing, such as a target that is not defined.
        case unknownName = "unknown-name"
        /// This program does not offer what is asked for.
        case unsupported
    }

    /// The kind of fault.
    package let kind: Kind
    /// Where it is.
    package let place: SourcePlace
    /// What is wrong, without the place.
    package let problem: String
    /// What to write instead.
    package let remedy: String

    /// Makes a fault.
    package init(_ kind: Kind, at place: SourcePlace, problem: String, remedy: String) {
        self.kind = kind
        self.place = place
        self.problem = problem
        self.remedy = remedy
    }

    /// `file:line: problem`, as editors and people find it.
    package var summary: String {
        place.line > 0 ? "\(place.file):\(place.line): \(problem)" : "\(place.file): \(problem)"
    }

    /// The stable code of the kind.
    package var code: String { "configuration-\(kind.rawValue)" }
}
