/// How long a peer may be silent.
struct SFTPTimeLimits: Sendable, Hashable {
    /// For the whole beginning of a session: connecting, logging in, agreeing on the version.
    var beginning: Duration
    /// Without any byte moving while an answer is due.
    var idle: Duration
    /// The same, while the server forces bytes to its disk.
    var slow: Duration

    /// Makes limits; ten times the idle limit is given for forcing bytes to disk, which is silent work.
    init(beginning: Duration, idle: Duration) {
        self.beginning = beginning
        self.idle = idle
        slow = idle * 10
    }
}
