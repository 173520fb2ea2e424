package import BackupAPI

/// Keeps objects in a bucket of Amazon S3 or of a server that speaks its protocol.
package final class S3Backend: StorageBackend {
    private let client: S3Client
    private let transport: CurlTransport
    private let listing: S3Listing
    private let deletion: S3Deletion
    private let createOnly: CreateOnlySupport

    /// Makes a backend; it connects with the first request.
    init(client: S3Client, transport: CurlTransport) {
        self.client = client
        self.transport = transport
        listing = S3Listing(client: client)
        deletion = S3Deletion(client: client)
        createOnly = CreateOnlySupport(client: client)
    }

    package var displayName: String { client.configuration.displayName }

    package var capabilities: Capabilities {
        let configuration = client.configuration
        let isAmazon = configuration.endpoint.isAmazon
        var remarks = configuration.remarks
        if let remark = createOnly.remark { remarks.append(remark) }
        if !isAmazon { remarks.append("how sure an object is after a power cut is up to the server's own settings") }
        if listing.walksFolders { remarks.append("the server lists folder by folder; each folder costs a request") }
        return Capabilities(
            durability: isAmazon ? .durable : .unknown, hasAtomicCreate: createOnly.isKnown,
            hasAtomicReplace: true, usefulConcurrency: configuration.concurrency,
            maximumObjectByteCount: PartPlan(firstPartByteCount: configuration.partByteCount).maximumObjectByteCount,
            remarks: remarks)
    }

    /// How many requests of each kind were sent so far, by their names in the Amazon S3 API Reference.
    package func requestCounts() -> [String: Int] { client.requestCounts }

    package func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo {
        let path = try await path(of: key, .stat)
        let looking = ObjectLook(client: client, key: path)
        let count = try await blocking(.stat, key) { cancel throws(S3Fault) in try looking.byteCount(cancel: cancel) }
        return ObjectInfo(key: key, byteCount: count)
    }

    package func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        let path = try await path(of: key, .read)
        return try await S3Source.open(client: client, key: key, fullKey: path, range: range)
    }

    package func beginWrite(_ key: ObjectKey, options: WriteOptions) async throws(StorageError) -> any UploadDriver {
        let path = try await path(of: key, .write)
        var isDecided = false
        if options.ifAbsent {
            isDecided = try await blocking(.write, key) { cancel throws(S3Fault) in
                let isDecided = try createOnly.resolve(cancel: cancel)
                if !isDecided, try ObjectWriting(client: client, key: path, isCreateOnly: false).exists(cancel: cancel)
                {
                    throw .exists
                }
                return isDecided
            }
        }
        return S3Sink(
            client: client, key: key, fullKey: path, isCreateOnly: isDecided,
            isCheckedBefore: options.ifAbsent && !isDecided, expectedByteCount: options.expectedByteCount)
    }

    package func list(_ request: ListRequest) async throws(StorageError) -> ListPage {
        try await blocking(.list, nil) { cancel throws(S3Fault) in try listing.page(request, cancel: cancel) }
    }

    package func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] {
        let root = client.configuration.rootPrefix
        var errors: [ObjectKey: StorageError] = [:]
        var paths: [String] = []
        for key in Set(keys).sorted() {
            do throws(StorageError) {
                paths.append(try await path(of: key, .delete))
            } catch {
                // The other keys are not to blame for one that cannot be.
                guard error.reason == .invalidKey else { throw error }
                errors[key] = error
            }
        }
        let failures = try await blocking(.delete, nil) { cancel throws(S3Fault) in
            try deletion.delete(paths, cancel: cancel)
        }
        for failure in failures {
            guard let path = String(failure.key.utf8.dropFirst(root.utf8.count)), let key = try? ObjectKey(path) else {
                continue
            }
            errors[key] = client.errors.error(failure.fault, operation: .delete, key: path)
        }
        return errors
    }

    package func sweepUnfinished(prefix: String) async throws(StorageError) -> Int {
        try await sweepUnfinished(prefix: prefix, leastAgeInSeconds: 86_400)
    }

    /// Removes unfinished uploads of at least this age; those of running processes may be among younger ones.
    package func sweepUnfinished(prefix: String, leastAgeInSeconds: Int) async throws(StorageError) -> Int {
        let sweep = UploadSweep(client: client, leastAgeInSeconds: leastAgeInSeconds)
        return try await blocking(.delete, nil) { cancel throws(S3Fault) in
            try sweep.run(prefix: prefix, cancel: cancel)
        }
    }

    /// How many multipart uploads below `prefix` are not finished, of any age.
    package func unfinishedUploadCount(prefix: String) async throws(StorageError) -> Int {
        let sweep = UploadSweep(client: client, leastAgeInSeconds: 0)
        return try await blocking(.list, nil) { cancel throws(S3Fault) in
            try sweep.uploads(prefix: prefix, cancel: cancel).count
        }
    }

    package func freeByteCount() async throws(StorageError) -> Int? { nil }

    package func unixSeconds() async throws(StorageError) -> Int? {
        try await blocking(.stat, nil) { cancel throws(S3Fault) in
            let head = S3Request(operation: "HeadBucket", method: "HEAD")
            let date = try client.send(head, cancel: cancel).headers["date"]
            return date.flatMap(Timestamp.init(httpDate:))?.seconds
        }
    }

    package func close() async { transport.close() }

    /// The key in the bucket.
    /// - Throws: `.invalidKey` for a key that this server would not keep as it is.
    private func path(of key: ObjectKey, _ operation: StorageError.Operation) async throws(StorageError) -> String {
        if key.string.utf8.contains(UInt8(ascii: "\\")) {
            let traits = try await blocking(operation, key) { cancel throws(S3Fault) in
                try client.learnServerTraits(cancel: cancel)
            }
            guard !traits.mistakesBackslashes else {
                throw StorageError(
                    .invalidKey, operation: operation, key: key.string, target: displayName,
                    detail: "this server takes '\\' for '/'", remedy: "Choose a name without '\\'.")
            }
        }
        return try client.configuration.fullKey(key.string, operation: operation)
    }

    private func blocking<Value: Sendable>(
        _ operation: StorageError.Operation, _ key: ObjectKey?, _ body: (CancelFlag) throws(S3Fault) -> Value
    ) async throws(StorageError) -> Value {
        let cancel = CancelFlag()
        do throws(S3Fault) {
            return try await cancel.whileRunning { () throws(S3Fault) in try body(cancel) }
        } catch {
            throw client.errors.error(error, operation: operation, key: key?.string)
        }
    }
}
