import BackupAPI
import BackupEngine
import Logging
import Synchronization

/// The targets that an operation has opened, to be closed at its end.
final class OpenTargets: Sendable {
    /// One of them.
    struct Entry: Sendable {
        /// Its name in the configuration, or its URL.
        let name: String
        let backend: any StorageBackend
        /// What was asked of it.
        let counters: StorageCounters
    }

    private let entries = Mutex<[Entry]>([])

    /// Takes over the closing of a target.
    func add(_ entry: Entry) { entries.withLock { $0.append(entry) } }

    /// Closes all, and logs what was done over each.
    func close() async {
        let all = entries.withLock { entries in
            defer { entries = [] }
            return entries
        }
        for entry in all {
            await entry.backend.close()
            Logger.current.info("closed a target", metadata: entry.metadata)
        }
    }
}

extension OpenTargets.Entry {
    fileprivate var metadata: Logger.Metadata {
        let counts = counters.reading
        let requests = backend.requestCounts()
        var metadata: Logger.Metadata = [
            LogKeys.target: "\(name)", LogKeys.callCount: "\(counts.callCount)",
            LogKeys.failedCallCount: "\(counts.failedCallCount)", LogKeys.retryCount: "\(counts.retryCount)",
            LogKeys.readBytes: "\(counts.readByteCount)", LogKeys.writtenBytes: "\(counts.writtenByteCount)",
        ]
        guard !requests.isEmpty else { return metadata }
        let kinds = requests.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        metadata[LogKeys.requestCount] = "\(requests.values.reduce(0, +))"
        metadata[LogKeys.requests] = "\(kinds.joined(separator: ","))"
        return metadata
    }
}

extension EngineService {
    /// Runs an operation where calls may block, and closes what it opened. Begin and end are logged.
    /// - Parameter subject: the server or the target that it is about.
    func running<Answer: Sendable>(
        _ operation: CommandName, _ subject: String, _ progress: ProgressCounter? = nil,
        _ body: () async throws -> Answer
    ) async throws -> Answer {
        let begin = session.clock.uptime()
        Logger.current.info(
            "an operation begins",
            metadata: [LogKeys.operation: "\(operation.rawValue)", LogKeys.subject: "\(subject)"])
        return try await withTaskExecutorPreference(pool) {
            do {
                let answer = try await body()
                await end(operation, since: begin, progress)
                return answer
            } catch {
                await end(operation, since: begin, progress)
                throw error
            }
        }
    }

    private func end(_ operation: CommandName, since begin: Duration, _ progress: ProgressCounter?) async {
        await openTargets.close()
        let passed = session.clock.uptime() - begin
        var metadata: Logger.Metadata = [
            LogKeys.operation: "\(operation.rawValue)", LogKeys.durationInMilliseconds: "\(passed.wholeMilliseconds)",
        ]
        if let progress { metadata[LogKeys.doneBytes] = "\(progress.reading.doneByteCount)" }
        Logger.current.info("an operation ended", metadata: metadata)
    }
}
