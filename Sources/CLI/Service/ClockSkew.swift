/// By how much the clock of a place and this machine's differ.
package struct ClockSkew: Sendable, Hashable {
    /// From how many seconds on it is worth a remark.
    package static let tolerableSeconds = 300

    /// Positive when the clock of the place is ahead; 0 when both may be the same.
    package let seconds: Int

    /// Compares what the place showed with our clock before and after it was asked. All clocks are cut to whole seconds,
    /// so that a difference of one is none.
    package init(there: Int, before: Int, after: Int) {
        if there < before - 1 {
            seconds = there - before
        } else if there > after + 1 {
            seconds = there - after
        } else {
            seconds = 0
        }
    }

    /// What is wrong and what to do; nil while the difference does no harm.
    ///
    /// S3 refuses requests from 15 minutes on (Amazon S3 API Reference, "Error responses", RequestTimeTooSkewed). Leases are
    /// compared across machines by their clocks.
    package var remark: String? {
        guard abs(seconds) > Self.tolerableSeconds else { return nil }
        let side = seconds > 0 ? "behind" : "ahead of"
        return
            "this machine's clock is \(abs(seconds)) s \(side) the target's: set the one that is wrong, for example with "
            + "chrony; S3 refuses requests from 900 s on, and runs on other machines are mistaken for dead ones"
    }
}
