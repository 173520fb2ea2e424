package import BackupAPI

/// Lets as many calls at once through as make the place faster (`Capabilities.usefulConcurrency`); others wait in line.
///
/// Open readers and uploads hold no slot between their calls, so a task that has several of them open cannot block itself.
package struct ConcurrencyLayer: StorageLayer {
    /// The right to make a call.
    struct Slot: Sendable {}

    let inner: any StorageBackend
    private let slots = Mailbox<Slot>()

    /// Wraps a backend.
    package init(_ inner: any StorageBackend) {
        self.inner = inner
        for _ in 0..<max(1, inner.capabilities.usefulConcurrency) { slots.send(Slot()) }
    }

    func around<Answer: Sendable>(
        _ call: StorageCall, _ body: @escaping @Sendable () async throws(StorageError) -> Answer
    ) async throws(StorageError) -> Answer {
        try await withSlot(for: call, body)
    }

    func source(_ reader: any ObjectReader, _ key: ObjectKey) -> any ObjectReader {
        ConcurrencySource(reader, key: key, place: self)
    }

    func sink(_ driver: any UploadDriver, _ key: ObjectKey) -> any UploadDriver {
        ConcurrencySink(driver, key: key, place: self)
    }

    /// Waits for a slot and gives it back after `body`, to the one who has waited longest.
    /// - Throws: `.cancelled` at once when the task is cancelled while it waits.
    func withSlot<Answer>(
        for call: StorageCall, _ body: () async throws(StorageError) -> Answer
    ) async throws(StorageError) -> Answer {
        let slot: Slot?
        do {
            slot = try await slots.next()
        } catch {
            throw call.error(.cancelled, at: displayName)
        }
        defer { if let slot { slots.send(slot) } }
        return try await body()
    }
}

/// A reader that takes a slot for each chunk.
final class ConcurrencySource: ObjectReader {
    private let inner: any ObjectReader
    private let key: ObjectKey
    private let place: ConcurrencyLayer

    init(_ inner: any ObjectReader, key: ObjectKey, place: ConcurrencyLayer) {
        self.inner = inner
        self.key = key
        self.place = place
    }

    func read(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int {
        try await place.withSlot(for: StorageCall(.read, key)) { () throws(StorageError) in
            try await inner.read(into: &buffer)
        }
    }

    func close() async { await inner.close() }
}

/// An upload that takes a slot for each chunk and for its commit.
final class ConcurrencySink: UploadDriver {
    private let inner: any UploadDriver
    private let key: ObjectKey
    private let place: ConcurrencyLayer

    init(_ inner: any UploadDriver, key: ObjectKey, place: ConcurrencyLayer) {
        self.inner = inner
        self.key = key
        self.place = place
    }

    func write(_ bytes: RawSpan) async throws(StorageError) {
        try await place.withSlot(for: StorageCall(.write, key)) { () throws(StorageError) in
            try await inner.write(bytes)
        }
    }

    func commit() async throws(StorageError) {
        try await place.withSlot(for: StorageCall(.commit, key)) { () throws(StorageError) in
            try await inner.commit()
        }
    }

    func abort() async { await inner.abort() }
}
