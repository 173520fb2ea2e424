package import BackupAPI

/// Gives each call to a driver a limit, so that no call hangs: a call over its limit is cancelled, and its caller gets
/// `.timedOut` whether the driver noticed or not.
///
/// It stands next to the driver. Its calls run in tasks of their own, with memory of their own.
package struct TimeoutLayer: StorageLayer {
    let inner: any StorageBackend
    private let limits: TimeLimits
    private let watchdog: Watchdog
    private let executor: (any TaskExecutor)?

    /// Wraps a backend.
    /// - Parameter executor: where its calls may block.
    package init(
        _ inner: any StorageBackend, limits: TimeLimits, clock: LayerClock, executor: (any TaskExecutor)? = nil
    ) {
        self.inner = inner
        self.limits = limits
        self.executor = executor
        watchdog = Watchdog(clock: clock, interval: limits.checkInterval)
    }

    func around<Answer: Sendable>(
        _ call: StorageCall, _ body: @escaping @Sendable () async throws(StorageError) -> Answer
    ) async throws(StorageError) -> Answer {
        try await limited(call, body) { _ in }
    }

    package func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        let reader = try await limited(StorageCall(.openRead, key)) { [inner] () throws(StorageError) in
            try await inner.openRead(key, range: range)
        } late: { result in
            if case .success(let reader) = result { await reader.close() }
        }
        return TimeoutSource(reader, key: key, place: self)
    }

    package func beginWrite(
        _ key: ObjectKey, options: WriteOptions
    ) async throws(StorageError) -> any UploadDriver {
        let driver = try await limited(StorageCall(.beginWrite, key)) { [inner] () throws(StorageError) in
            try await inner.beginWrite(key, options: options)
        } late: { result in
            if case .success(let driver) = result { await driver.abort() }
        }
        return TimeoutSink(driver, key: key, place: self)
    }

    package func close() async {
        _ = await outcome(of: StorageCall(.end)) { [inner] () throws(StorageError) in
            await inner.close()
        } late: { _ in
        }
    }

    /// Makes a call within its limit.
    func outcome<Answer: Sendable>(
        of call: StorageCall, _ body: @escaping @Sendable () async throws(StorageError) -> Answer,
        late: @escaping @Sendable (Result<Answer, StorageError>) async -> Void
    ) async -> LimitedOutcome<Answer> {
        await LimitedCall.run(
            limit: limits.limit(of: call), watchdog: watchdog, executor: executor, body, late: late)
    }

    /// The error of a call that was left.
    func timedOut(_ call: StorageCall) -> StorageError {
        call.error(.timedOut, at: displayName, detail: "no answer within \(limits.limit(of: call))")
    }

    private func limited<Answer: Sendable>(
        _ call: StorageCall, _ body: @escaping @Sendable () async throws(StorageError) -> Answer,
        late: @escaping @Sendable (Result<Answer, StorageError>) async -> Void
    ) async throws(StorageError) -> Answer {
        switch await outcome(of: call, body, late: late) {
        case .ended(let result): return try result.get()
        case .left: throw timedOut(call)
        }
    }
}
