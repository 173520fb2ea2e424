/// Decides when a stream of WAL that was told to stop has everything, and when to ask the server for that.
///
/// At the end of a base backup a primary switches to the next segment, so the rest of the segment comes by itself. A standby
/// does not switch, and nothing more may come. It is asked for an answer after a time of quiet; an answer without WAL before it
/// says that there is no more. (Asking at once would not: a WAL sender answers before it sends what it has.)
struct WALStopRule {
    /// How long no WAL must have come before the server is asked.
    static let quietTime: Duration = .milliseconds(500)

    private let segmentSize: WALSegmentSize
    private var isAnswerDue = false
    private var isQuiet = false
    private var hasProof = false

    init(segmentSize: WALSegmentSize) { self.segmentSize = segmentSize }

    /// Takes note of WAL: an answer that is due says nothing any more.
    mutating func sawData() { isQuiet = false }

    /// Takes note of a keepalive of the server.
    mutating func sawKeepalive() {
        if isQuiet && isAnswerDue { hasProof = true }
        isAnswerDue = false
    }

    /// Whether the stream can end.
    func isDone(received: LSN, end: LSN) -> Bool {
        guard received >= end else { return false }
        return end == .zero || received >= end.roundedUpToSegment(size: segmentSize) || hasProof
    }

    /// Whether the server is to be asked for an answer now.
    /// - Parameter quiet: how long no WAL has come.
    mutating func asksForAnswer(received: LSN, end: LSN, quiet: Duration) -> Bool {
        guard received >= end, quiet >= Self.quietTime, !isAnswerDue else { return false }
        isAnswerDue = true
        isQuiet = true
        return true
    }
}
