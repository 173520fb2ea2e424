import BackupAPI

/// An upload that begins again after an error that may pass, as long as it still has all bytes it was given.
///
/// `@unchecked Sendable`: one task uses it at a time, as `UploadDriver` says.
final class RetrySink: UploadDriver, @unchecked Sendable {
    /// Most bytes that are kept for a repetition.
    private static let keptByteCount = 1 << 20

    private let key: ObjectKey
    private let options: WriteOptions
    private let place: RetryLayer
    private var budget: RetryBudget
    /// Nil after an abort.
    private var inner: (any UploadDriver)?
    /// All bytes that were given; nil when they were too many.
    private var kept: [UInt8]?
    /// Whether a commit failed in a way that leaves open whether the object is there.
    private var isCommitUncertain = false

    init(_ inner: any UploadDriver, key: ObjectKey, options: WriteOptions, place: RetryLayer) {
        self.inner = inner
        self.key = key
        self.options = options
        self.place = place
        budget = place.newBudget
        kept = (options.expectedByteCount ?? 0) <= Self.keptByteCount ? [] : nil
    }

    func write(_ bytes: RawSpan) async throws(StorageError) {
        keep(bytes)
        do throws(StorageError) {
            try await driver(for: .write).write(bytes)
        } catch {
            try await beginAgain(after: error)
        }
    }

    func commit() async throws(StorageError) {
        do throws(StorageError) {
            try await commitRepeatedly()
        } catch {
            guard error.reason == .alreadyExists, isCommitUncertain, try await hasOurBytes() else { throw error }
        }
    }

    func abort() async {
        await inner?.abort()
        inner = nil
        kept = nil
    }

    private func keep(_ bytes: RawSpan) {
        guard let count = kept?.count else { return }
        guard count + bytes.byteCount <= Self.keptByteCount else {
            kept = nil
            return
        }
        // Sound: the bytes are copied before the closure ends.
        unsafe bytes.withUnsafeBytes { unsafe kept?.append(contentsOf: $0) }
    }

    private func driver(for kind: StorageCall.Kind) throws(StorageError) -> any UploadDriver {
        if let inner { return inner }
        throw StorageCall(kind, key).error(.failed, at: place.displayName, detail: "the upload has ended")
    }

    private func commitRepeatedly() async throws(StorageError) {
        while true {
            do throws(StorageError) {
                return try await driver(for: .commit).commit()
            } catch {
                if error.retry != .never { isCommitUncertain = true }
                try await beginAgain(after: error)
            }
        }
    }

    /// Aborts what was begun, begins anew and writes all bytes again, as often as the budget allows.
    /// - Throws: the last error.
    private func beginAgain(after error: StorageError) async throws(StorageError) {
        var last = error
        while true {
            guard let bytes = kept else { throw last }
            try await budget.pause(after: last)
            await inner?.abort()
            inner = nil
            do throws(StorageError) {
                let driver = try await place.inner.beginWrite(key, options: options)
                inner = driver
                // Sound: the span does not outlive the call.
                return try await driver.write(unsafe bytes.span.bytes)
            } catch {
                last = error
            }
        }
    }

    /// Whether the object that is there is the one that an uncertain commit was to make.
    private func hasOurBytes() async throws(StorageError) -> Bool {
        guard let kept else { return false }
        do throws(StorageError) {
            return try await place.read(key, limit: kept.count) == kept
        } catch {
            // More bytes than ours are `.corrupt` to a limited read.
            guard error.reason == .notFound || error.reason == .corrupt else { throw error }
            return false
        }
    }
}
