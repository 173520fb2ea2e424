package import BackupAPI
import Logging

/// Logs and counts calls as their callers see them: whole ones at debug, each chunk of a stream at trace.
package struct ObserveLayer: StorageLayer {
    let inner: any StorageBackend
    let counters: StorageCounters
    let clock: LayerClock

    /// Wraps a backend.
    package init(_ inner: any StorageBackend, counters: StorageCounters, clock: LayerClock) {
        self.inner = inner
        self.counters = counters
        self.clock = clock
    }

    func around<Answer: Sendable>(
        _ call: StorageCall, _ body: @escaping @Sendable () async throws(StorageError) -> Answer
    ) async throws(StorageError) -> Answer {
        let begin = clock.now()
        do throws(StorageError) {
            let answer = try await body()
            counters.count(call, isFailed: false)
            log(.debug, call, since: begin)
            return answer
        } catch {
            counters.count(call, isFailed: error.reason != .notFound && error.reason != .alreadyExists)
            log(.debug, call, since: begin, error)
            throw error
        }
    }

    func source(_ reader: any ObjectReader, _ key: ObjectKey) -> any ObjectReader {
        ObserveSource(reader, key: key, place: self)
    }

    func sink(_ driver: any UploadDriver, _ key: ObjectKey) -> any UploadDriver {
        ObserveSink(driver, key: key, place: self)
    }

    func log(
        _ level: Logger.Level, _ call: StorageCall, since begin: Duration, _ error: StorageError? = nil
    ) {
        let logger = Logger.current
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            LogKeys.call: "\(call.kind.rawValue)", LogKeys.target: "\(displayName)",
            LogKeys.durationInMilliseconds: "\((clock.now() - begin).wholeMilliseconds)",
        ]
        if let key = call.key { metadata[LogKeys.key] = "\(key)" }
        if let error { metadata[LogKeys.error] = "\(error.code)" }
        logger.log(level: level, "storage call", metadata: metadata)
    }
}
