package import BackupAPI

/// Says everything that is wrong with a configuration.
package struct ConfigurationError: Remediable, Hashable {
    /// At least one, in the order of the file.
    package let faults: [ConfigurationFault]

    /// Makes an error from the first fault and the others.
    package init(_ first: ConfigurationFault, _ others: [ConfigurationFault] = []) {
        faults = [first] + others
        leading = first
    }

    private let leading: ConfigurationFault

    package var code: String { leading.code }

    package var summary: String {
        faults.count == 1 ? leading.summary : "\(leading.summary) (and \(faults.count - 1) more)"
    }

    package var remedy: String {
        faults.count == 1
            ? leading.remedy
            : "\(leading.remedy) Run 'pgmoneta-cli conf check' to see all \(faults.count) faults."
    }

    package var retry: RetryAdvice { .never }
}
