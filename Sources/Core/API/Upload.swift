/// An object that is being written: committed when the scope of `put` ends well, aborted when it throws.
public struct Upload: ~Copyable {
    private let driver: any UploadDriver

    /// Wraps a driver that was just begun.
    init(driver: any UploadDriver) { self.driver = driver }

    /// Appends bytes to the object.
    public mutating func write(_ bytes: RawSpan) async throws(StorageError) {
        try await driver.write(bytes)
    }

    /// Appends bytes to the object.
    public mutating func write(_ bytes: [UInt8]) async throws(StorageError) {
        // Sound: the span does not outlive the call.
        try await driver.write(unsafe bytes.span.bytes)
    }

    consuming func commit() async throws(StorageError) { try await driver.commit() }

    consuming func abort() async { await driver.abort() }
}

extension StorageBackend {
    /// Writes one object: `body` gives its bytes; the object is visible and durable when `put` returns.
    ///
    /// - Throws: what `body` throws, after the object was aborted; or the `StorageError` of the backend.
    public func put<Result, Failure: Error>(
        _ key: ObjectKey, options: WriteOptions = WriteOptions(),
        _ body: (inout Upload) async throws(Failure) -> Result
    ) async throws -> Result {
        var upload = Upload(driver: try await beginWrite(key, options: options))
        let result: Result
        do {
            result = try await body(&upload)
        } catch {
            await upload.abort()
            throw error
        }
        if Task.isCancelled {
            await upload.abort()
            throw StorageError(.cancelled, operation: .write, key: key.string, target: displayName)
        }
        do {
            try await upload.commit()
        } catch {
            throw error
        }
        return result
    }

    /// Writes one small object in one go.
    public func put(
        _ key: ObjectKey, bytes: [UInt8], options: WriteOptions = WriteOptions()
    ) async throws(StorageError) {
        var options = options
        options.expectedByteCount = bytes.count
        let driver = try await beginWrite(key, options: options)
        do {
            // Sound: the span does not outlive the call.
            try await driver.write(unsafe bytes.span.bytes)
            try await driver.commit()
        } catch {
            await driver.abort()
            throw error
        }
    }

    /// Reads a small object, or a run of it, in one go.
    /// - Throws: `.corrupt` when it has more than `limit` bytes, so that a planted giant cannot exhaust memory.
    public func read(
        _ key: ObjectKey, range: ByteRange? = nil, limit: Int
    ) async throws(StorageError) -> [UInt8] {
        let reader = try await openRead(key, range: range)
        var bytes: [UInt8] = []
        do {
            try await reader.drain(limit: limit, key: key, target: displayName) { bytes.append(contentsOf: $0) }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
        return bytes
    }

    /// Writes one small object if there is none with that key.
    /// - Returns: whether it was written; false when somebody else's is there.
    public func create(_ key: ObjectKey, bytes: [UInt8]) async throws(StorageError) -> Bool {
        do {
            try await put(key, bytes: bytes, options: WriteOptions(ifAbsent: true))
            return true
        } catch {
            guard error.reason == .alreadyExists else { throw error }
            return false
        }
    }

    /// Reads a small object; nil when there is none.
    public func readIfPresent(_ key: ObjectKey, limit: Int) async throws(StorageError) -> [UInt8]? {
        do {
            return try await read(key, limit: limit)
        } catch {
            guard error.reason == .notFound else { throw error }
            return nil
        }
    }

    /// Walks a whole listing, page by page.
    public func forEachEntry<Failure: Error>(
        _ request: ListRequest, _ body: (ListEntry) async throws(Failure) -> Void
    ) async throws {
        var request = request
        while true {
            let page = try await list(request)
            for entry in page.entries { try await body(entry) }
            guard page.hasMore, let last = page.entries.last else { return }
            request.after = last.position
        }
    }
}

extension ObjectReader {
    /// Reads to the end, handing each chunk of up to 64 KiB to `body`.
    /// - Throws: `.corrupt` when more than `limit` bytes come.
    func drain(
        limit: Int, key: ObjectKey, target: String, _ body: ([UInt8]) -> Void
    ) async throws(StorageError) {
        var total = 0
        while true {
            var count = 0
            var chunk = [UInt8]()
            do {
                // Sound: the buffer lives until it is deallocated below, and the span does not leave this scope.
                let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
                defer { unsafe buffer.deallocate() }
                var span = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
                count = try await read(into: &span)
                let filled = unsafe span.finalize(for: buffer)
                chunk = unsafe Array(buffer[..<filled])
            }
            if count == 0 { return }
            total += count
            guard total <= limit else {
                throw StorageError(
                    .corrupt, operation: .read, key: key.string, target: target,
                    detail: "more than \(limit) bytes")
            }
            body(chunk)
        }
    }
}
