import BackupAPI
import Logging

/// A reader whose bytes are counted.
final class ObserveSource: ObjectReader {
    private let inner: any ObjectReader
    private let call: StorageCall
    private let place: ObserveLayer

    init(_ inner: any ObjectReader, key: ObjectKey, place: ObserveLayer) {
        self.inner = inner
        self.place = place
        call = StorageCall(.read, key)
    }

    func read(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int {
        let begin = place.clock.now()
        do throws(StorageError) {
            let count = try await inner.read(into: &buffer)
            place.counters.count(call, isFailed: false, readByteCount: count)
            place.log(.trace, call, since: begin)
            return count
        } catch {
            place.counters.count(call, isFailed: true)
            place.log(.debug, call, since: begin, error)
            throw error
        }
    }

    func close() async { await inner.close() }
}

/// An upload whose bytes are counted.
final class ObserveSink: UploadDriver {
    private let inner: any UploadDriver
    private let key: ObjectKey
    private let place: ObserveLayer

    init(_ inner: any UploadDriver, key: ObjectKey, place: ObserveLayer) {
        self.inner = inner
        self.key = key
        self.place = place
    }

    func write(_ bytes: RawSpan) async throws(StorageError) {
        let call = StorageCall(.write, key)
        let begin = place.clock.now()
        do throws(StorageError) {
            try await inner.write(bytes)
            place.counters.count(call, isFailed: false, writtenByteCount: bytes.byteCount)
            place.log(.trace, call, since: begin)
        } catch {
            place.counters.count(call, isFailed: true)
            place.log(.debug, call, since: begin, error)
            throw error
        }
    }

    func commit() async throws(StorageError) {
        try await place.around(StorageCall(.commit, key)) { [inner] () throws(StorageError) in
            try await inner.commit()
        }
    }

    func abort() async { await inner.abort() }
}
