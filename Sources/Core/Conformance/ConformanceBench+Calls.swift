import BackupAPI

extension ConformanceBench {
    /// Writes an object in one scope, in pieces of `pieceByteCount`.
    func write(
        _ bytes: [UInt8], to key: ObjectKey, on backend: (any StorageBackend)? = nil,
        options: WriteOptions = WriteOptions(), pieceByteCount: Int = 1 << 20
    ) async throws {
        do {
            try await (backend ?? self.backend).put(key, options: options) { upload in
                try await ConformanceBench.pour(bytes, into: &upload, pieceByteCount: pieceByteCount)
            }
        } catch {
            note(error)
            throw error
        }
    }

    /// Reads a whole object, or a run of it.
    func read(
        _ key: ObjectKey, range: ByteRange? = nil, on backend: (any StorageBackend)? = nil
    ) async throws -> [UInt8] {
        do {
            return try await (backend ?? self.backend).read(key, range: range, limit: 2 * options.largestByteCount)
        } catch {
            note(error)
            throw error
        }
    }

    /// Walks a listing to its end and gives all entries.
    func entries(_ request: ListRequest, on backend: (any StorageBackend)? = nil) async throws -> [ListEntry] {
        var entries: [ListEntry] = []
        try await (backend ?? self.backend).forEachEntry(request) { entries.append($0) }
        return entries
    }

    /// The keys that a listing of the law's folder shows, without the folder.
    func listedNames(on backend: (any StorageBackend)? = nil, isShallow: Bool = false) async throws -> [String] {
        try await entries(ListRequest(prefix: folder, isShallow: isShallow), on: backend)
            .map { String(decoding: $0.position.utf8.dropFirst(folder.utf8.count), as: UTF8.self) }
    }

    /// The reason that `body` throws for; nil when it does not throw.
    func reason(_ body: () async throws -> Void) async throws -> StorageError.Reason? {
        do {
            try await body()
            return nil
        } catch let error as StorageError {
            note(error)
            return error.reason
        }
    }

    /// Requires that `body` does not throw.
    func must<Result>(_ doing: String, _ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as StorageError {
            note(error)
            throw LawViolation(words: "\(doing) throws: \(error.summary)")
        }
    }

    /// Requires that no call shows an object, on both connections.
    func requireAbsent(_ key: ObjectKey, _ moment: String) async throws {
        for connection in [backend, other] {
            let looked = try await reason { _ = try await connection.stat(key) }
            try require(looked == .notFound, "\(moment), stat of '\(key)' gives \(ConformanceBench.words(looked))")
            let opened = try await reason { _ = try await read(key, on: connection) }
            try require(opened == .notFound, "\(moment), reading '\(key)' gives \(ConformanceBench.words(opened))")
            for isShallow in [false, true] {
                let request = ListRequest(prefix: key.string, isShallow: isShallow)
                let isListed = try await entries(request, on: connection).contains { $0.isObject(key) }
                try require(!isListed, "\(moment), '\(key)' is listed")
            }
        }
    }

    /// Requires that every call shows the object with these bytes, on both connections.
    func requirePresent(_ key: ObjectKey, _ bytes: [UInt8], _ moment: String) async throws {
        for connection in [backend, other] {
            let byteCount = try await must("\(moment), stat") { try await connection.stat(key).byteCount }
            try require(byteCount == bytes.count, "\(moment), stat gives \(byteCount) bytes, not \(bytes.count)")
            let stored = try await must("\(moment), reading") { try await read(key, on: connection) }
            try require(stored == bytes, "\(moment), reading '\(key)' gives \(Sample.difference(stored, bytes))")
            for isShallow in [false, true] {
                let found = try await entries(ListRequest(prefix: key.string, isShallow: isShallow), on: connection)
                    .filter { $0.isObject(key) }
                let expected = [ListEntry.object(ObjectInfo(key: key, byteCount: bytes.count))]
                try require(found == expected, "\(moment), the listing shows \(found) and not \(expected)")
            }
        }
    }

    /// Hands `bytes` to an upload in pieces.
    static func pour(_ bytes: [UInt8], into upload: inout Upload, pieceByteCount: Int) async throws(StorageError) {
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + pieceByteCount)
            try await upload.write(Array(bytes[start..<end]))
            start = end
        }
    }

    /// A reason, or its absence, in words.
    static func words(_ reason: StorageError.Reason?) -> String {
        reason.map { "the error '\($0.rawValue)'" } ?? "no error"
    }
}

extension ListEntry {
    /// Whether the entry names this object.
    func isObject(_ key: ObjectKey) -> Bool {
        if case .object(let info) = self { info.key == key } else { false }
    }
}

extension UploadDriver {
    /// Takes an array's bytes.
    func write(bytes: [UInt8]) async throws(StorageError) {
        // Sound: the span does not outlive the call.
        try await write(unsafe bytes.span.bytes)
    }
}
