import Glibc

/// The clocks of a program; tests stop them.
package struct CommandClock: Sendable {
    /// Seconds since 1970 in UTC.
    package var unixSeconds: @Sendable () -> Int
    /// Time since some moment; never goes back.
    package var uptime: @Sendable () -> Duration

    /// Makes clocks.
    package init(unixSeconds: @escaping @Sendable () -> Int, uptime: @escaping @Sendable () -> Duration) {
        self.unixSeconds = unixSeconds
        self.uptime = uptime
    }

    /// The system's clocks.
    package static var system: CommandClock {
        let start = ContinuousClock.now
        return CommandClock(unixSeconds: { time(nil) }, uptime: { ContinuousClock.now - start })
    }
}
