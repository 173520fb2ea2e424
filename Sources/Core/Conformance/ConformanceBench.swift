import BackupAPI
import Synchronization

/// A law that was seen broken.
struct LawViolation: Error {
    /// What was seen.
    let words: String
}

/// A law that the backend does not claim to keep.
struct LawNotClaimed: Error {
    /// What is missing.
    let words: String
}

/// What the checks share: two connections to the same place, a folder of their own, and a memory of keys and errors.
final class ConformanceBench: Sendable {
    private struct State {
        var law = BackendLaw.roundTrip
        var keys: Set<ObjectKey> = []
        var errors: [StorageError] = []
    }

    /// The connection that writes.
    let backend: any StorageBackend
    /// Another connection, which must see the same.
    let other: any StorageBackend
    let options: BackendConformance.Options
    private let makeBackend: @Sendable () async throws -> any StorageBackend
    private let root: String
    private let state = Mutex(State())

    private init(
        backend: any StorageBackend, other: any StorageBackend, options: BackendConformance.Options, root: String,
        makeBackend: @escaping @Sendable () async throws -> any StorageBackend
    ) {
        self.backend = backend
        self.other = other
        self.options = options
        self.root = root
        self.makeBackend = makeBackend
    }

    /// Opens the connections.
    static func open(
        makeBackend: @escaping @Sendable () async throws -> any StorageBackend, prefix: String,
        options: BackendConformance.Options
    ) async throws -> ConformanceBench {
        let backend = try await makeBackend()
        do {
            return ConformanceBench(
                backend: backend, other: try await makeBackend(), options: options, root: prefix,
                makeBackend: makeBackend)
        } catch {
            await backend.close()
            throw error
        }
    }

    /// The folder of the law that is being checked, ending in `/`.
    var folder: String { "\(root)/\(state.withLock { $0.law.rawValue })/" }

    /// The errors that were met so far.
    var errorsMet: [StorageError] { state.withLock { $0.errors } }

    /// Starts a law: its folder is empty.
    func begin(_ law: BackendLaw) {
        state.withLock {
            $0.law = law
            $0.keys = []
        }
    }

    /// Makes a key in the law's folder and remembers to delete it.
    func key(_ name: String) throws -> ObjectKey {
        let key = try ObjectKey(folder + name)
        state.withLock { _ = $0.keys.insert(key) }
        return key
    }

    /// Opens one more connection for the length of `body`.
    func withConnection<Result>(_ body: (any StorageBackend) async throws -> Result) async throws -> Result {
        let connection = try await makeBackend()
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Opens `count` more connections for the length of `body`.
    func withConnections<Result>(
        _ count: Int, _ body: ([any StorageBackend]) async throws -> Result
    ) async throws -> Result {
        var connections: [any StorageBackend] = []
        do {
            for _ in 0..<count { connections.append(try await makeBackend()) }
            let result = try await body(connections)
            for connection in connections { await connection.close() }
            return result
        } catch {
            for connection in connections { await connection.close() }
            throw error
        }
    }

    /// Says that the law is broken unless `condition` holds.
    func require(_ condition: Bool, _ words: @autoclosure () -> String) throws(LawViolation) {
        guard condition else { throw LawViolation(words: words()) }
    }

    /// Remembers an error, so that `no-secret-is-printed` can look at its words.
    func note(_ error: any Error) {
        guard let error = error as? StorageError else { return }
        state.withLock { $0.errors.append(error) }
    }

    /// Deletes what the law left behind: the keys it made, and what a listing of its folder shows beside them.
    /// - Returns: what could not be deleted, in words; nil when all is gone.
    func cleanUp() async -> String? {
        var keys = state.withLock { $0.keys }
        if let listed = try? await entries(ListRequest(prefix: folder)) {
            // A broken listing may name what is not ours.
            for case .object(let info) in listed where info.key.string.utf8.starts(with: folder.utf8) {
                keys.insert(info.key)
            }
        }
        do {
            let refused = try await backend.delete(keys.sorted())
            return refused.first.map { "cannot delete '\($0.key)': \($0.value.summary)" }
        } catch {
            return ConformanceBench.words(for: error)
        }
    }

    /// Ends the connections.
    func close() async {
        await backend.close()
        await other.close()
    }

    /// An error in words for a report.
    static func words(for error: any Error) -> String {
        (error as? any Remediable)?.summary ?? String(describing: error)
    }
}
