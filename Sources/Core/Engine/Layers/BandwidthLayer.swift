package import BackupAPI

/// Lets bytes pass no faster than a meter that several targets may share. Calls without bytes are not held up.
package struct BandwidthLayer: StorageLayer {
    let inner: any StorageBackend
    private let meter: BandwidthMeter

    /// Wraps a backend.
    package init(_ inner: any StorageBackend, meter: BandwidthMeter) {
        self.inner = inner
        self.meter = meter
    }

    func source(_ reader: any ObjectReader, _ key: ObjectKey) -> any ObjectReader {
        BandwidthSource(reader, key: key, place: self)
    }

    func sink(_ driver: any UploadDriver, _ key: ObjectKey) -> any UploadDriver {
        BandwidthSink(driver, key: key, place: self)
    }

    /// Waits for the meter.
    /// - Throws: `.cancelled` when the task is cancelled while it waits.
    func pass(byteCount: Int, for call: StorageCall) async throws(StorageError) {
        do {
            try await meter.pass(byteCount: byteCount)
        } catch {
            throw call.error(.cancelled, at: displayName)
        }
    }
}

/// A reader that waits behind each chunk, whose size is not known before.
final class BandwidthSource: ObjectReader {
    private let inner: any ObjectReader
    private let key: ObjectKey
    private let place: BandwidthLayer

    init(_ inner: any ObjectReader, key: ObjectKey, place: BandwidthLayer) {
        self.inner = inner
        self.key = key
        self.place = place
    }

    func read(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int {
        let count = try await inner.read(into: &buffer)
        try await place.pass(byteCount: count, for: StorageCall(.read, key))
        return count
    }

    func close() async { await inner.close() }
}

/// An upload that waits before each chunk.
final class BandwidthSink: UploadDriver {
    private let inner: any UploadDriver
    private let key: ObjectKey
    private let place: BandwidthLayer

    init(_ inner: any UploadDriver, key: ObjectKey, place: BandwidthLayer) {
        self.inner = inner
        self.key = key
        self.place = place
    }

    func write(_ bytes: RawSpan) async throws(StorageError) {
        try await place.pass(byteCount: bytes.byteCount, for: StorageCall(.write, key))
        try await inner.write(bytes)
    }

    func commit() async throws(StorageError) { try await inner.commit() }

    func abort() async { await inner.abort() }
}
