package import BackupEngine

/// Keeps one line of a terminal up to date while an operation runs.
package struct ProgressReporter: Sendable {
    /// Writes to the terminal; nil when nothing is to be shown.
    private let write: (@Sendable (String) -> Void)?
    private let uptime: @Sendable () -> Duration
    private let interval: Duration

    /// Makes a reporter.
    /// - Parameters:
    ///   - write: writes to the terminal; nil shows nothing.
    ///   - uptime: a clock that never goes back.
    ///   - interval: the time between two lines.
    package init(
        write: (@Sendable (String) -> Void)?, uptime: @escaping @Sendable () -> Duration,
        interval: Duration = .milliseconds(250)
    ) {
        self.write = write
        self.uptime = uptime
        self.interval = interval
    }

    /// Runs `operation` and shows the counter meanwhile; the line is gone when it returns.
    package func show<Result: Sendable>(
        _ counter: ProgressCounter, during operation: () async throws -> Result
    ) async rethrows -> Result {
        guard let write else { return try await operation() }
        let (uptime, interval) = (uptime, interval)
        let reporting = Task { @concurrent in
            var activity = ""
            var start = uptime()
            while !Task.isCancelled {
                let reading = counter.reading
                if reading.activity != activity {
                    activity = reading.activity
                    start = uptime()
                }
                // Back to the beginning of the line, and clear it to its end.
                write("\r\u{1B}[K" + ProgressLine.text(reading, elapsed: uptime() - start))
                try? await Task.sleep(for: interval)
            }
        }
        func end() async {
            reporting.cancel()
            await reporting.value
            write("\r\u{1B}[K")
        }
        do {
            let result = try await operation()
            await end()
            return result
        } catch {
            await end()
            throw error
        }
    }
}
