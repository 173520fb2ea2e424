import BackupAPI

extension ConformanceBench {
    /// Checks `abort-leaves-nothing`: at every moment, over nothing and over an old object.
    func checkAbortLeavesNothing() async throws {
        let key = try key("new/folder/object")
        try await spoilUploads(of: key)
        try await requireAbsent(key, "after aborts")
        let names = try await listedNames(isShallow: true)
        try require(names.isEmpty, "after aborts, the folder holds \(names)")

        let old = Sample.bytes(50_000, seed: 1)
        try await write(old, to: key)
        try await spoilUploads(of: key)
        let onlyNew = try await reason { try await write([1, 2, 3], to: key, options: WriteOptions(ifAbsent: true)) }
        try require(onlyNew == .alreadyExists, "a create-only write gives \(ConformanceBench.words(onlyNew))")
        try await requirePresent(key, old, "after aborts over it")
        let all = try await entries(ListRequest(prefix: folder))
        try require(all.count == 1, "after aborts, \(all.count) objects are listed, not 1")
    }

    /// Aborts at once, after a little, after much; by a body that throws; and drops an upload.
    private func spoilUploads(of key: ObjectKey) async throws {
        for byteCount in [0, 100, options.largestByteCount] {
            let driver = try await backend.beginWrite(key, options: WriteOptions())
            try await driver.write(bytes: Sample.bytes(byteCount, seed: 2))
            await driver.abort()
        }
        do {
            try await backend.put(key) { upload in
                try await upload.write([1, 2, 3])
                throw BodyFault()
            }
            throw LawViolation(words: "put swallows what its body throws")
        } catch is BodyFault {}
        try await drop(key)
    }

    private func drop(_ key: ObjectKey) async throws {
        let driver = try await backend.beginWrite(key, options: WriteOptions())
        try await driver.write(bytes: Sample.bytes(300_000, seed: 3))
    }

    /// Checks `cancel-leaves-nothing`: cancelled before it begins, in the middle, and with a body that does not notice.
    func checkCancelLeavesNothing() async throws {
        let key = try key("cancelled/object")
        try await cancelUploads(of: key)
        try await requireAbsent(key, "after cancelled writes")

        let old = Sample.bytes(50_000, seed: 1)
        try await write(old, to: key)
        try await cancelUploads(of: key)
        try await requirePresent(key, old, "after cancelled writes over it")
        let all = try await entries(ListRequest(prefix: folder))
        try require(all.count == 1, "after cancelled writes, \(all.count) objects are listed, not 1")
    }

    private func cancelUploads(of key: ObjectKey) async throws {
        let bytes = Sample.bytes(1 << 20, seed: 2)
        for begins in [false, true] {
            for goesOn in [false, true] {
                try await cancelUpload(of: key, bytes, afterFirstWrite: begins, goesOn: goesOn)
            }
        }
    }

    /// Cancels a task that writes.
    /// - Parameters:
    ///   - afterFirstWrite: whether the upload has begun when the task is cancelled.
    ///   - goesOn: whether the body writes on after that, and ends as if nothing had happened.
    private func cancelUpload(
        of key: ObjectKey, _ bytes: [UInt8], afterFirstWrite: Bool, goesOn: Bool
    ) async throws {
        let (begun, hasBegun) = AsyncStream<Void>.makeStream()
        let task = Task {
            if !afterFirstWrite { await ConformanceBench.waitForCancellation(hasBegun) }
            try await self.backend.put(key) { upload in
                try await upload.write(bytes)
                if afterFirstWrite { await ConformanceBench.waitForCancellation(hasBegun) }
                if goesOn { try? await upload.write(bytes) }
            }
        }
        // A write that fails before it is cancelled ends the stream too, so nothing waits for ever.
        let ending = Task {
            let result = await task.result
            hasBegun.finish()
            return result
        }
        for await _ in begun { break }
        task.cancel()
        switch await ending.value {
        case .success: throw LawViolation(words: "a cancelled write says that it succeeded")
        case .failure(let error): note(error)
        }
    }

    /// Tells that the moment has come, then waits until the task is cancelled.
    private static func waitForCancellation(_ moment: AsyncStream<Void>.Continuation) async {
        let (never, continuation) = AsyncStream<Void>.makeStream()
        moment.yield()
        for await _ in never {}
        continuation.finish()
    }
}

/// What a body throws that has nothing to do with storage.
private struct BodyFault: Error {}
