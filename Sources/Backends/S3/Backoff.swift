import BackupAPI
import Glibc

/// How parts and ranges are tried again. Whole calls are tried again by a layer outside.
struct Backoff: Sendable {
    /// Tries in all.
    var attempts = 5
    /// The longest first pause, in milliseconds; each next one may be twice as long.
    var firstPauseInMilliseconds = 200
    /// The longest pause, in milliseconds, also when the server asks for more.
    var longestPauseInMilliseconds = 20_000

    /// Does `body` until it succeeds, fails for good, or was tried often enough.
    func run<Value>(cancel: CancelFlag, _ body: (_ attempt: Int) throws(S3Fault) -> Value) throws(S3Fault) -> Value {
        var attempt = 1
        while true {
            do throws(S3Fault) {
                return try body(attempt)
            } catch {
                guard error.isTransient, attempt < attempts, !cancel.isSet else { throw error }
                wait(beforeAttempt: attempt + 1, advice: error.waitAdvice, cancel: cancel)
                attempt += 1
            }
        }
    }

    /// Waits on the calling thread; the flag ends it within 50 ms.
    /// - Parameter advice: seconds that the server asked for.
    func wait(beforeAttempt attempt: Int, advice: Int?, cancel: CancelFlag) {
        // Full jitter: clients that failed together do not come back together.
        let ceiling = min(longestPauseInMilliseconds, firstPauseInMilliseconds << min(attempt - 2, 16))
        var rest = Int.random(in: 0...max(0, ceiling))
        if let advice { rest = max(rest, min(advice * 1000, longestPauseInMilliseconds)) }
        while rest > 0, !cancel.isSet {
            let slice = min(rest, 50)
            poll(nil, 0, Int32(slice))
            rest -= slice
        }
    }
}
