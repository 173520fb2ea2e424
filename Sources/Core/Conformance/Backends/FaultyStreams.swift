import BackupAPI
import Synchronization

/// Where the bytes of a reader or an upload are cut.
struct FaultyLimit: Sendable {
    /// How many bytes may still pass.
    var byteCount: Int
    /// What is thrown behind them; nil for an early end.
    let error: StorageError?
}

/// A reader whose calls are counted, and whose bytes may be cut.
final class FaultySource: ObjectReader {
    private let inner: any ObjectReader
    private let place: FaultyBackend
    private let key: ObjectKey
    private let limit: Mutex<FaultyLimit?>

    /// Wraps a reader.
    init(_ inner: any ObjectReader, place: FaultyBackend, key: ObjectKey, limit: FaultyLimit?) {
        self.inner = inner
        self.place = place
        self.key = key
        self.limit = Mutex(limit)
    }

    func read(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int {
        let limit = limit.withLock { $0 }
        guard let limit else { return try await pass(into: &buffer) }
        let room = min(limit.byteCount, buffer.freeCapacity)
        if room == 0 {
            if let error = limit.error, buffer.freeCapacity > 0 { throw error }
            return 0
        }
        // Sound: the memory lives until the end of the scope, and the span does not leave it.
        let part = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 16)
        defer { unsafe part.deallocate() }
        var span = unsafe OutputRawSpan(buffer: part, initializedCount: 0)
        let count = try await pass(into: &span)
        _ = unsafe span.finalize(for: part)
        // Sound: `count` is at most `room`, which is at most what the buffer has room for.
        unsafe buffer.withUnsafeMutableBytes { (bytes: UnsafeMutableRawBufferPointer, filled: inout Int) in
            unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]).copyBytes(from: part[..<count])
            filled += count
        }
        self.limit.withLock { $0?.byteCount -= count }
        return count
    }

    func close() async { await inner.close() }

    private func pass(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int {
        try await place.call(.read, key) { () throws(StorageError) in try await inner.read(into: &buffer) }
    }
}

/// An upload whose calls are counted, and whose bytes may be cut.
final class FaultySink: UploadDriver {
    private let inner: any UploadDriver
    private let place: FaultyBackend
    private let key: ObjectKey
    private let limit: Mutex<FaultyLimit?>

    /// Wraps an upload.
    init(_ inner: any UploadDriver, place: FaultyBackend, key: ObjectKey, limit: FaultyLimit?) {
        self.inner = inner
        self.place = place
        self.key = key
        self.limit = Mutex(limit)
    }

    func write(_ bytes: RawSpan) async throws(StorageError) {
        let byteCount = bytes.byteCount
        let passing = limit.withLock { limit in
            guard let left = limit?.byteCount else { return byteCount }
            let passing = min(left, byteCount)
            limit?.byteCount -= passing
            return passing
        }
        try await place.call(.write, key) { () throws(StorageError) in
            try await inner.write(bytes.extracting(first: passing))
        }
        if passing < byteCount, let error = limit.withLock({ $0?.error }) { throw error }
    }

    func commit() async throws(StorageError) {
        try await place.call(.commit, key) { () throws(StorageError) in try await inner.commit() }
    }

    func abort() async { await inner.abort() }
}
