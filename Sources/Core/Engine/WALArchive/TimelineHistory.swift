package import PostgresClient

/// Where a timeline came from: what its `.history` file says (documentation, "Continuous Archiving", "Timelines").
package struct TimelineHistory: Sendable, Hashable {
    /// A part of the way through the log.
    package struct Step: Sendable, Hashable {
        package let timeline: Timeline
        /// Where the way comes to this timeline.
        package let begin: LSN
        /// Where it goes on to the next one; nil for the last.
        package let end: LSN?
    }

    /// The way from the first timeline to this one.
    package let steps: [Step]

    /// The last timeline of the way.
    package let timeline: Timeline

    /// The history of a timeline that came from no other.
    package init(ofFirst timeline: Timeline) {
        self.timeline = timeline
        steps = [Step(timeline: timeline, begin: .zero, end: nil)]
    }

    /// Reads the text of a history file: lines of timeline, position where it was left, and a reason; `#` begins a comment.
    /// - Returns: nil when it is none, or its timelines or positions do not ascend.
    package init?(of timeline: Timeline, _ text: String) {
        var steps: [Step] = []
        var begin = LSN.zero
        for line in text.split(whereSeparator: \.isNewline) {
            let fields = line.split { $0 == " " || $0 == "\t" }
            guard let first = fields.first, !first.hasPrefix("#") else { continue }
            guard fields.count >= 2, let parent = Timeline(String(first)), let end = LSN(String(fields[1])),
                parent < timeline, steps.last.map({ $0.timeline < parent }) ?? true, end >= begin
            else { return nil }
            steps.append(Step(timeline: parent, begin: begin, end: end))
            begin = end
        }
        guard !steps.isEmpty else { return nil }
        self.timeline = timeline
        self.steps = steps + [Step(timeline: timeline, begin: begin, end: nil)]
    }

    /// Whether the way goes through a position on a timeline.
    package func passes(_ position: LSN, on timeline: Timeline) -> Bool {
        steps.contains { step in
            step.timeline == timeline && step.begin <= position && (step.end.map { position < $0 } ?? true)
        }
    }

    /// The timelines whose segments of that number PostgreSQL takes on this way, the one that it prefers first: where the way
    /// changes timelines inside a segment, the newer one has all of it.
    package func timelines(ofSegment number: UInt64, size: WALSegmentSize) -> [Timeline] {
        steps.reversed().filter { step in
            let first = WALSegment(containing: step.begin, timeline: step.timeline, size: size).number
            guard let end = step.end else { return first <= number }
            return first <= number && number <= WALSegment(containing: end, timeline: step.timeline, size: size).number
        }.map(\.timeline)
    }
}
