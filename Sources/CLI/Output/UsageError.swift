package import BackupAPI

/// An argument or option that a command cannot use.
package struct UsageError: Remediable, Hashable {
    package let summary: String
    package let remedy: String

    /// Makes an error from one line about the argument and what to write instead.
    package init(_ summary: String, remedy: String) {
        self.summary = summary
        self.remedy = remedy
    }

    package var code: String { "usage" }
    package var retry: RetryAdvice { .never }
}
