package import BackupAPI

/// Tries calls again that may succeed later, as their errors advise; all other errors pass.
///
/// - Whole calls are repeated: each of them may be made twice without harm.
/// - A reader goes on where it was, with the object opened again.
/// - An upload is repeated as long as this layer still has all of its bytes; a larger one ends with the error.
package struct RetryLayer: StorageLayer {
    let inner: any StorageBackend
    private let policy: RetryPolicy
    private let clock: LayerClock
    private let counters: StorageCounters

    /// Wraps a backend.
    package init(
        _ inner: any StorageBackend, policy: RetryPolicy, clock: LayerClock,
        counters: StorageCounters = StorageCounters()
    ) {
        self.inner = inner
        self.counters = counters
        self.policy = policy
        self.clock = clock
    }

    /// The repetitions that one call may have.
    var newBudget: RetryBudget { RetryBudget(policy, clock: clock, counters: counters) }

    func around<Answer: Sendable>(
        _ call: StorageCall, _ body: @escaping @Sendable () async throws(StorageError) -> Answer
    ) async throws(StorageError) -> Answer {
        var budget = newBudget
        while true {
            do throws(StorageError) {
                return try await body()
            } catch {
                try await budget.pause(after: error)
            }
        }
    }

    package func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        let reader = try await around(StorageCall(.openRead, key)) { [inner] () throws(StorageError) in
            try await inner.openRead(key, range: range)
        }
        return RetrySource(reader, key: key, range: range, place: self)
    }

    package func beginWrite(
        _ key: ObjectKey, options: WriteOptions
    ) async throws(StorageError) -> any UploadDriver {
        let driver = try await around(StorageCall(.beginWrite, key)) { [inner] () throws(StorageError) in
            try await inner.beginWrite(key, options: options)
        }
        return RetrySink(driver, key: key, options: options, place: self)
    }

    /// Repeats the deletion of those keys whose errors may pass.
    package func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] {
        var refused: [ObjectKey: StorageError] = [:]
        var pending = keys
        var budget = newBudget
        while true {
            var passing: [ObjectKey: StorageError] = [:]
            let fault: StorageError
            do throws(StorageError) {
                let failed = try await inner.delete(pending)
                passing = failed.filter { $0.value.retry != .never }
                refused.merge(failed.filter { $0.value.retry == .never }) { $1 }
                guard let first = passing.first?.value else { return refused }
                fault = first
                pending = passing.keys.sorted()
            } catch {
                fault = error
            }
            do throws(StorageError) {
                try await budget.pause(after: fault)
            } catch {
                guard !passing.isEmpty, error.reason != .cancelled else { throw error }
                return refused.merging(passing) { $1 }
            }
        }
    }
}
