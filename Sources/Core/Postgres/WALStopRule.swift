/// Decides when a stream of WAL that was told to stop has everything, and what to ask the server for that.
///
/// At the end of a base backup a primary switches to the next segment, so the rest of the segment comes by itself. A standby
/// does not switch, and nothing more may come. Then two answers in a row without WAL before them prove it: between two answers
/// a WAL sender sends what it has.
struct WALStopRule {
    private let segmentSize: WALSegmentSize
    private var isAnswerDue = false
    private var quietAnswers = 0

    init(segmentSize: WALSegmentSize) { self.segmentSize = segmentSize }

    /// Takes note of WAL.
    mutating func sawData() {
        isAnswerDue = false
        quietAnswers = 0
    }

    /// Takes note of a keepalive of the server.
    mutating func sawKeepalive() {
        if isAnswerDue { quietAnswers += 1 }
        isAnswerDue = false
    }

    /// Whether the stream can end.
    func isDone(received: LSN, end: LSN) -> Bool {
        guard received >= end else { return false }
        return end == .zero || received >= end.roundedUpToSegment(size: segmentSize) || quietAnswers >= 2
    }

    /// Whether the server is to be asked for an answer now.
    mutating func asksForAnswer(received: LSN, end: LSN) -> Bool {
        guard received >= end, !isAnswerDue else { return false }
        isAnswerDue = true
        return true
    }
}
