package import BackupEngine

/// Writes one line of progress: percent, bytes, rate, time left.
package enum ProgressLine {
    /// The line, without a line end.
    /// - Parameter elapsed: since the activity began.
    package static func text(_ reading: ProgressCounter.Reading, elapsed: Duration) -> String {
        let (seconds, attoseconds) = elapsed.components
        let milliseconds = max(0, Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000))
        let done = HumanSize.text(reading.doneByteCount)
        guard milliseconds > 0 else { return "\(reading.activity)  \(done)" }
        let (scaled, overflow) = reading.doneByteCount.multipliedReportingOverflow(by: 1_000)
        let rate = overflow ? reading.doneByteCount / max(1, milliseconds / 1_000) : scaled / milliseconds
        guard let total = reading.totalByteCount, total > 0 else {
            return "\(reading.activity)  \(done)  \(HumanSize.text(rate))/s"
        }
        // An estimate of the server may be too small: 100 % is said only at the end.
        let share = Double(reading.doneByteCount) / Double(total)
        let percent = reading.doneByteCount == total ? 100 : min(99, Int(share * 100))
        let left = max(0, total - reading.doneByteCount)
        let remaining = rate > 0 ? "  \(ElapsedTime.text(seconds: left / rate)) left" : ""
        let padding = String(repeating: " ", count: percent < 10 ? 2 : percent < 100 ? 1 : 0)
        return "\(reading.activity)  \(padding)\(percent)%  \(done) of \(HumanSize.text(total))"
            + "  \(HumanSize.text(rate))/s\(remaining)"
    }
}
