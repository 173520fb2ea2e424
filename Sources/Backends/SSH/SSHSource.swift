internal import BackupAPI

/// Reads a file with several requests on their way, so that the distance to the server costs little.
///
/// `@unchecked Sendable`: one task at a time uses a reader (contract of `ObjectReader`).
final class SSHSource: ObjectReader, @unchecked Sendable {
    /// Most bytes asked for and not yet read.
    static let windowByteCount = 4 << 20

    /// A piece that was asked for.
    private struct Piece {
        let offset: UInt64
        let count: Int
        let answer: PendingReply
    }

    private let lease: ChannelLease
    private let handle: SFTPHandle
    private let key: ObjectKey
    private let target: String
    /// Where reading ends; at first by the size that was seen before the file was opened.
    private var end: UInt64
    private let wantedEnd: UInt64?
    /// The size of the file that was opened, asked for together with the first pieces.
    private var size: PendingReply?
    private var next: UInt64
    private var pieces: [Piece] = []
    private var current: ArraySlice<UInt8> = []
    private var window: Int
    private var isClosed = false

    init(
        lease: ChannelLease, handle: SFTPHandle, expected: UInt64?, range: ByteRange?, key: ObjectKey, target: String
    ) {
        self.lease = lease
        self.handle = handle
        self.key = key
        self.target = target
        next = UInt64(range?.offset ?? 0)
        wantedEnd = range.map { UInt64($0.offset) + UInt64($0.count) }
        end = min(wantedEnd ?? .max, expected ?? 0)
        // Who names a range wants all of it; who reads a whole file may stop early.
        window = range == nil ? 2 * lease.features.readByteCount : SSHSource.windowByteCount
        size = lease.channel.send(.fstat(handle))
        ask()
    }

    /// Asks for pieces until the window is full.
    private func ask() {
        var waiting = pieces.reduce(0) { $0 + $1.count }
        while next < end, waiting < window {
            let count = Int(min(UInt64(lease.features.readByteCount), end - next))
            pieces.append(piece(at: next, count: count))
            next += UInt64(count)
            waiting += count
        }
    }

    private func piece(at offset: UInt64, count: Int) -> Piece {
        let answer = lease.channel.send(.read(handle, offset: offset, count: UInt32(count)))
        return Piece(offset: offset, count: count, answer: answer)
    }

    func read(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int {
        do throws(SFTPFault) {
            try await settleSize()
            var total = 0
            while buffer.freeCapacity > 0 {
                if current.isEmpty {
                    // What has come is handed out before the next wait.
                    guard let first = pieces.first, total == 0 || first.answer.isSettled else { break }
                    try await take(first)
                }
                total += hand(to: &buffer)
            }
            return total
        } catch {
            throw SSHErrors.error(error, operation: .read, key: key, target: target)
        }
    }

    /// Learns the size of the file that was really opened: it may have replaced the one that was looked at.
    private func settleSize() async throws(SFTPFault) {
        guard let size else { return }
        let attributes = try await size.reply().requireAttributes()
        self.size = nil
        guard let count = attributes.byteCount else { throw .unexpected("no file size") }
        end = min(wantedEnd ?? .max, count)
        pieces.removeAll { $0.offset >= end }
        ask()
    }

    private func take(_ first: Piece) async throws(SFTPFault) {
        guard let data = try await first.answer.reply().requireData(), !data.isEmpty else {
            // Behind the size that the file had when it was opened there is nothing to miss.
            if first.offset >= end { return pieces = [] }
            throw .refused(.corrupt, detail: "the file became shorter while it was read", remedy: nil)
        }
        guard data.count <= first.count else { throw .unexpected("more bytes than were asked for") }
        if data.count < first.count, first.offset + UInt64(data.count) < end {
            pieces[0] = piece(at: first.offset + UInt64(data.count), count: first.count - data.count)
        } else {
            pieces.removeFirst()
        }
        current = data
        window = min(SSHSource.windowByteCount, window * 2)
        ask()
    }

    private func hand(to buffer: inout OutputRawSpan) -> Int {
        let count = min(buffer.freeCapacity, current.count)
        // Sound: both sides are at least `count` long, and neither pointer leaves the call.
        unsafe current.withUnsafeBytes { source in
            unsafe buffer.withUnsafeMutableBytes { place, filled in
                let free = unsafe UnsafeMutableRawBufferPointer(rebasing: place[filled...])
                unsafe free.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
                filled += count
            }
        }
        current = current.dropFirst(count)
        return count
    }

    func close() async { release() }

    private func release() {
        guard !isClosed else { return }
        isClosed = true
        pieces = []
        lease.channel.send(.close(handle))
    }

    deinit { release() }
}
