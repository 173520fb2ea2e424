import Glibc

/// The clocks of a program; tests stop them.
package struct CommandClock: Sendable {
    /// Seconds since 1970 in UTC.
    package var unixSeconds: @Sendable () -> Int
    /// Time since some moment; never goes back.
    package var uptime: @Sendable () -> Duration

    private let startMilliseconds: Int

    /// Makes clocks.
    package init(unixSeconds: @escaping @Sendable () -> Int, uptime: @escaping @Sendable () -> Duration) {
        self.unixSeconds = unixSeconds
        self.uptime = uptime
        let passed = uptime().components
        startMilliseconds =
            unixSeconds() * 1000 - Int(passed.seconds) * 1000 - Int(passed.attoseconds / 1_000_000_000_000_000)
    }

    /// Milliseconds since 1970 in UTC; they pass as `uptime` does, so that a clock that is set back does not disturb them.
    package func unixMilliseconds() -> Int {
        let passed = uptime().components
        return startMilliseconds + Int(passed.seconds) * 1000 + Int(passed.attoseconds / 1_000_000_000_000_000)
    }

    /// The system's clocks.
    package static var system: CommandClock {
        let start = ContinuousClock.now
        return CommandClock(unixSeconds: { time(nil) }, uptime: { ContinuousClock.now - start })
    }
}
