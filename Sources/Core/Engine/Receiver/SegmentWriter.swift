import CEngine
import Glibc
import PostgresClient

/// Writes a stream of WAL into an inbox, segment by segment. What it says is safe has reached the disk.
///
/// The disk is asked when the stream pauses, at a segment's end, and when a tenth of a second has passed: under load many commits
/// share one wait.
final class SegmentWriter: WALReceiver {
    private static let longestUnsafeTime: Duration = .milliseconds(100)
    /// The disk begins with so many bytes while the next ones come.
    private static let writebackByteCount = 2 << 20

    private let inbox: WALInbox
    private let size: WALSegmentSize
    private let limits: WALInboxLimits
    private let progress: ReceiverProgress
    private var timeline: Timeline
    /// The position of the next byte.
    private(set) var position: LSN
    private var safe: LSN
    private var lastSafe = ContinuousClock.now
    private var descriptor: Int32 = -1
    /// Whether the name of the file that is being written is on the disk.
    private var isNameSafe = false

    /// - Parameter start: a segment's beginning.
    init(
        inbox: WALInbox, start: LSN, timeline: Timeline, size: WALSegmentSize, limits: WALInboxLimits,
        progress: ReceiverProgress
    ) {
        self.inbox = inbox
        self.size = size
        self.limits = limits
        self.progress = progress
        self.timeline = timeline
        position = start
        safe = start
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private var segment: WALSegment { WALSegment(containing: position, timeline: timeline, size: size) }

    func walBytes(_ bytes: RawSpan, at start: LSN) async throws -> LSN? {
        guard start == position else {
            throw EngineError(.streamMalformed, "WAL at \(start) came when \(position) was expected")
        }
        let before = safe
        var offset = 0
        while offset < bytes.byteCount {
            let segment = segment
            if descriptor < 0 { try open(segment) }
            let count = min(bytes.byteCount - offset, Int(segment.end.byteCount(since: position)))
            try write(bytes.extracting(offset..<offset + count), at: Int(position.byteCount(since: segment.start)))
            position = position.advanced(by: count)
            offset += count
            if position == segment.end { try finish(segment) }
        }
        if ContinuousClock.now - lastSafe >= Self.longestUnsafeTime { try makeSafe() }
        progress.received(position)
        return safe > before ? safe : nil
    }

    func walPause() async throws -> LSN? {
        try makeSafe()
        return safe
    }

    /// Ends a timeline: what came of its last segment is a file of its own, as a server archives it that goes on with another
    /// timeline.
    func finishTimeline() throws {
        guard descriptor >= 0 else { return }
        try makeSafe()
        close(descriptor)
        descriptor = -1
        let name = segment.name
        try inbox.publish(inbox.path(name + WALInbox.unfinishedSuffix), as: name + ".partial")
    }

    /// Goes on with another timeline, from the beginning of the segment where it begins.
    func begin(_ timeline: Timeline, at start: LSN) {
        self.timeline = timeline
        position = start
        safe = start
    }

    private func makeSafe() throws(EngineError) {
        guard safe < position else { return }
        if descriptor >= 0 {
            try synchronize(segment)
            if !isNameSafe { try inbox.synchronize() }
            isNameSafe = true
        }
        noteSafe()
    }

    private func synchronize(_ segment: WALSegment) throws(EngineError) {
        guard fdatasync(descriptor) == 0 else {
            throw FileFault.error(errno, "write", inbox.path(segment.name + WALInbox.unfinishedSuffix))
        }
    }

    private func noteSafe() {
        safe = position
        lastSafe = .now
        progress.madeSafe(safe)
    }

    /// Begins a segment with all of its room, so that a full disk is met now and not in the middle.
    private func open(_ segment: WALSegment) throws {
        try limits.requireRoom(for: size.byteCount, in: inbox)
        let path = inbox.path(segment.name + WALInbox.unfinishedSuffix)
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileFault.error(errno, "write", path) }
        self.descriptor = descriptor
        let fault = posix_fallocate(descriptor, 0, size.byteCount)
        guard fault == 0 else { throw FileFault.error(fault, "write", path) }
        isNameSafe = false
    }

    private func finish(_ segment: WALSegment) throws {
        try synchronize(segment)
        close(descriptor)
        descriptor = -1
        // This makes the name safe, whether the other one was or not.
        try inbox.publish(inbox.path(segment.name + WALInbox.unfinishedSuffix), as: segment.name)
        noteSafe()
    }

    private func write(_ bytes: RawSpan, at offset: Int) throws(EngineError) {
        var written = 0
        while written < bytes.byteCount {
            // Sound: `pwrite` reads at most the bytes that are left, and they live for the call.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe pwrite(
                    descriptor, $0.baseAddress.map { unsafe $0 + written }, $0.count - written, offset + written)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw FileFault.error(errno, "write", inbox.path(segment.name + WALInbox.unfinishedSuffix))
            }
            written += count
        }
        let begun = offset / Self.writebackByteCount * Self.writebackByteCount
        let whole = (offset + written) / Self.writebackByteCount * Self.writebackByteCount
        // No more than a hint: what is safe is asked for by fdatasync(2).
        if whole > begun { _ = pgm_begin_writeback(descriptor, Int64(begun), Int64(whole - begun)) }
    }
}
