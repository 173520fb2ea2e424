import BackupAPI

/// A backend around another one, which keeps the other's laws. What a layer does not do itself passes through.
///
/// Most layers only say what happens around a call and with the bytes of a stream; `abort` and `close` are never held up.
protocol StorageLayer: StorageBackend {
    /// The next one towards the driver.
    var inner: any StorageBackend { get }

    /// Makes one whole call; `body` passes it on and may be called again.
    func around<Answer: Sendable>(
        _ call: StorageCall, _ body: @escaping @Sendable () async throws(StorageError) -> Answer
    ) async throws(StorageError) -> Answer

    /// The reader that the caller gets.
    func source(_ reader: any ObjectReader, _ key: ObjectKey) -> any ObjectReader

    /// The upload that the caller gets.
    func sink(_ driver: any UploadDriver, _ key: ObjectKey) -> any UploadDriver
}

extension StorageLayer {
    package var displayName: String { inner.displayName }

    package var capabilities: Capabilities { inner.capabilities }

    func around<Answer: Sendable>(
        _ call: StorageCall, _ body: @escaping @Sendable () async throws(StorageError) -> Answer
    ) async throws(StorageError) -> Answer {
        try await body()
    }

    func source(_ reader: any ObjectReader, _ key: ObjectKey) -> any ObjectReader { reader }

    func sink(_ driver: any UploadDriver, _ key: ObjectKey) -> any UploadDriver { driver }

    package func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo {
        try await around(StorageCall(.stat, key)) { [inner] () throws(StorageError) in try await inner.stat(key) }
    }

    package func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        let reader = try await around(StorageCall(.openRead, key)) { [inner] () throws(StorageError) in
            try await inner.openRead(key, range: range)
        }
        return source(reader, key)
    }

    package func beginWrite(
        _ key: ObjectKey, options: WriteOptions
    ) async throws(StorageError) -> any UploadDriver {
        let driver = try await around(StorageCall(.beginWrite, key)) { [inner] () throws(StorageError) in
            try await inner.beginWrite(key, options: options)
        }
        return sink(driver, key)
    }

    package func list(_ request: ListRequest) async throws(StorageError) -> ListPage {
        try await around(StorageCall(.list)) { [inner] () throws(StorageError) in try await inner.list(request) }
    }

    package func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] {
        try await around(StorageCall(.delete, keys.first)) { [inner] () throws(StorageError) in
            try await inner.delete(keys)
        }
    }

    package func sweepUnfinished(prefix: String) async throws(StorageError) -> Int {
        try await around(StorageCall(.sweep)) { [inner] () throws(StorageError) in
            try await inner.sweepUnfinished(prefix: prefix)
        }
    }

    package func unixSeconds() async throws(StorageError) -> Int? {
        try await around(StorageCall(.clock)) { [inner] () throws(StorageError) in try await inner.unixSeconds() }
    }

    package func requestCounts() -> [String: Int] { inner.requestCounts() }

    package func freeByteCount() async throws(StorageError) -> Int? {
        try await around(StorageCall(.free)) { [inner] () throws(StorageError) in try await inner.freeByteCount() }
    }

    package func close() async { await inner.close() }
}
