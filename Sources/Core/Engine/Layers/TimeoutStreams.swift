import BackupAPI
import Synchronization

/// Holds a driver's stream for its user and for calls that may outlive the user.
private final class StreamHandle<Stream: Sendable>: Sendable {
    private let held: Mutex<Stream?>

    init(_ stream: Stream) { held = Mutex(stream) }

    /// The stream; nil after it was taken.
    var stream: Stream? { held.withLock { $0 } }

    /// Takes the stream out, once. A task that ended but is not yet freed then keeps nothing alive.
    func take() -> Stream? { held.withLock { $0.take() } }
}

/// A reader whose calls are limited.
///
/// `@unchecked Sendable`: one task uses it at a time, as `ObjectReader` says.
final class TimeoutSource: ObjectReader, @unchecked Sendable {
    private let handle: StreamHandle<any ObjectReader>
    private let call: StorageCall
    private let place: TimeoutLayer
    private var buffer: CallBuffer?
    private var isLeft = false

    init(_ inner: any ObjectReader, key: ObjectKey, place: TimeoutLayer) {
        handle = StreamHandle(inner)
        self.place = place
        call = StorageCall(.read, key)
    }

    deinit { if !isLeft { _ = handle.take() } }

    func read(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int {
        let room = buffer.freeCapacity
        guard room > 0 else { return 0 }
        guard !isLeft else { throw place.timedOut(call) }
        let own = CallBuffer.fitting(room, reusing: self.buffer)
        self.buffer = own
        let outcome = await place.outcome(of: call) { [handle] () throws(StorageError) -> Int in
            guard let reader = handle.stream else { return 0 }
            return try await own.read(from: reader, room: room)
        } late: { [handle] _ in
            await handle.take()?.close()
        }
        guard case .ended(let result) = outcome else {
            isLeft = true
            throw place.timedOut(call)
        }
        let count = try result.get()
        if count > 0 { own.unload(into: &buffer) }
        return count
    }

    func close() async {
        guard !isLeft else { return }
        _ = await place.outcome(of: StorageCall(.end)) { [handle] () throws(StorageError) in
            await handle.take()?.close()
        } late: { _ in
        }
        buffer = nil
    }
}

/// An upload whose calls are limited.
///
/// `@unchecked Sendable`: one task uses it at a time, as `UploadDriver` says.
final class TimeoutSink: UploadDriver, @unchecked Sendable {
    private let handle: StreamHandle<any UploadDriver>
    private let key: ObjectKey
    private let place: TimeoutLayer
    private var buffer: CallBuffer?
    private var isLeft = false

    init(_ inner: any UploadDriver, key: ObjectKey, place: TimeoutLayer) {
        handle = StreamHandle(inner)
        self.key = key
        self.place = place
    }

    deinit { if !isLeft { _ = handle.take() } }

    func write(_ bytes: RawSpan) async throws(StorageError) {
        var offset = 0
        repeat {
            let own = CallBuffer.fitting(bytes.byteCount - offset, reusing: buffer)
            buffer = own
            offset += own.load(bytes, from: offset)
            try await limited(StorageCall(.write, key)) { driver throws(StorageError) in
                try await own.write(to: driver)
            } late: { [handle] _ in
                await handle.take()?.abort()
            }
        } while offset < bytes.byteCount
    }

    func commit() async throws(StorageError) {
        try await limited(StorageCall(.commit, key)) { driver throws(StorageError) in
            try await driver.commit()
        } late: { [handle] result in
            let driver = handle.take()
            if case .failure = result { await driver?.abort() }
        }
    }

    func abort() async {
        guard !isLeft else { return }
        _ = await place.outcome(of: StorageCall(.end)) { [handle] () throws(StorageError) in
            await handle.take()?.abort()
        } late: { _ in
        }
        buffer = nil
    }

    private func limited(
        _ call: StorageCall, _ body: @escaping @Sendable (any UploadDriver) async throws(StorageError) -> Void,
        late: @escaping @Sendable (Result<Void, StorageError>) async -> Void
    ) async throws(StorageError) {
        guard !isLeft else { throw place.timedOut(call) }
        let ended = call.error(.failed, at: place.displayName, detail: "the upload has ended")
        let outcome = await place.outcome(of: call) { [handle] () throws(StorageError) in
            guard let driver = handle.stream else { throw ended }
            try await body(driver)
        } late: {
            await late($0)
        }
        guard case .ended(let result) = outcome else {
            isLeft = true
            throw place.timedOut(call)
        }
        try result.get()
    }
}
