import BackupAPI

/// A reader that opens its object again where it was, after an error that may pass.
///
/// Somebody may have replaced the object meanwhile. So it reads again the last bytes that it gave, and goes on only when they
/// are the same: its caller never gets the beginning of one object and the end of another.
///
/// `@unchecked Sendable`: one task uses it at a time, as `ObjectReader` says.
final class RetrySource: ObjectReader, @unchecked Sendable {
    /// Most bytes that are read again.
    private static let overlapByteCount = 4096

    private let key: ObjectKey
    private let range: ByteRange?
    private let place: RetryLayer
    private var budget: RetryBudget
    /// Nil after an error.
    private var inner: (any ObjectReader)?
    /// How many bytes were given.
    private var offset = 0
    /// The last of them.
    private var tail: [UInt8] = []

    init(_ inner: any ObjectReader, key: ObjectKey, range: ByteRange?, place: RetryLayer) {
        self.inner = inner
        self.key = key
        self.range = range
        self.place = place
        budget = place.newBudget
    }

    func read(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int {
        guard buffer.freeCapacity > 0 else { return 0 }
        while true {
            let filled = buffer.byteCount
            do throws(StorageError) {
                let count = try await opened().read(into: &buffer)
                note(buffer.bytes.extracting(filled..<buffer.byteCount))
                return count
            } catch {
                buffer.removeLast(buffer.byteCount - filled)
                await close()
                try await budget.pause(after: error)
            }
        }
    }

    func close() async {
        await inner?.close()
        inner = nil
    }

    private func note(_ bytes: RawSpan) {
        guard bytes.byteCount > 0 else { return }
        offset += bytes.byteCount
        // Sound: the bytes are copied before the closure ends.
        unsafe bytes.extracting(last: Self.overlapByteCount).withUnsafeBytes { unsafe tail.append(contentsOf: $0) }
        tail.removeFirst(max(0, tail.count - Self.overlapByteCount))
        // What has come is not asked for again, so the next fault has a budget of its own.
        budget = place.newBudget
    }

    private func opened() async throws(StorageError) -> any ObjectReader {
        if let inner { return inner }
        let skipped = offset - tail.count
        let rest = ByteRange(offset: (range?.offset ?? 0) + skipped, count: range.map { $0.count - skipped } ?? Int.max)
        let reader = try await place.inner.openRead(key, range: skipped == 0 ? range : rest)
        inner = reader
        try await requireSameTail(reader)
        return reader
    }

    private func requireSameTail(_ reader: any ObjectReader) async throws(StorageError) {
        guard !tail.isEmpty else { return }
        let buffer = CallBuffer.fitting(tail.count, reusing: nil)
        var again: [UInt8] = []
        while again.count < tail.count {
            guard try await buffer.read(from: reader, room: tail.count - again.count) > 0 else { break }
            again += buffer.bytes
        }
        guard again == tail else {
            throw StorageCall(.read, key).error(
                .failed, at: place.displayName, detail: "the object was replaced while it was read")
        }
    }
}
