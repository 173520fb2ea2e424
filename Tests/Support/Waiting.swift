import Glibc

/// Waiting for what other processes do.
package enum Waiting {
    /// Asks again and again.
    /// - Parameter what: what is waited for, and what is there instead, for the message.
    /// - Throws: when it does not come within five minutes.
    package static func until(
        _ what: @autoclosure () throws -> String, pause milliseconds: UInt32 = 50, _ fits: () throws -> Bool
    ) throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while try !fits() {
            guard .now < deadline else { throw ProgramError(description: "never: \(try what())") }
            usleep(milliseconds * 1000)
        }
    }
}
