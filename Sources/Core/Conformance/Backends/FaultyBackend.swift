public import BackupAPI
import Synchronization

/// Passes calls on to another backend and makes chosen ones fail.
///
/// `abort` and `close`, which cannot throw, are passed on and not counted. So the loop "fail call 1, 2, 3 … until the
/// operation succeeds" meets each way to fail once.
public final class FaultyBackend: StorageBackend {
    private let inner: any StorageBackend
    private let plan: @Sendable (FaultyCall) -> Fault?
    private let made = Mutex<[FaultyCall]>([])

    /// Wraps a backend; `plan` is asked before each call and gives nil where nothing is to go wrong.
    public init(_ inner: any StorageBackend, plan: @escaping @Sendable (FaultyCall) -> Fault?) {
        self.inner = inner
        self.plan = plan
    }

    /// Wraps a backend whose call with that number fails before it does anything.
    public convenience init(_ inner: any StorageBackend, failing number: Int, with error: StorageError) {
        self.init(inner) { $0.number == number ? .failBefore(error) : nil }
    }

    /// The calls that were made, in order.
    public var calls: [FaultyCall] { made.withLock { $0 } }

    /// How many calls were made.
    public var callCount: Int { made.withLock { $0.count } }

    public var displayName: String { inner.displayName }

    public var capabilities: Capabilities { inner.capabilities }

    public func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo {
        try await call(.stat, key) { () throws(StorageError) in try await inner.stat(key) }
    }

    public func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        let (fault, limit) = begin(.openRead, key)
        let reader = try await run(fault, key) { () throws(StorageError) in try await inner.openRead(key, range: range)
        }
        return FaultySource(reader, place: self, key: key, limit: limit)
    }

    public func beginWrite(_ key: ObjectKey, options: WriteOptions) async throws(StorageError) -> any UploadDriver {
        let (fault, limit) = begin(.beginWrite, key)
        let driver = try await run(fault, key) { () throws(StorageError) in
            try await inner.beginWrite(key, options: options)
        }
        return FaultySink(driver, place: self, key: key, limit: limit)
    }

    public func list(_ request: ListRequest) async throws(StorageError) -> ListPage {
        try await call(.list, nil) { () throws(StorageError) in try await inner.list(request) }
    }

    public func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] {
        try await call(.delete, keys.first) { () throws(StorageError) in try await inner.delete(keys) }
    }

    public func sweepUnfinished(prefix: String) async throws(StorageError) -> Int {
        try await call(.sweep, nil) { () throws(StorageError) in try await inner.sweepUnfinished(prefix: prefix) }
    }

    public func freeByteCount() async throws(StorageError) -> Int? {
        try await call(.free, nil) { () throws(StorageError) in try await inner.freeByteCount() }
    }

    public func unixSeconds() async throws(StorageError) -> Int? {
        try await call(.clock, nil) { () throws(StorageError) in try await inner.unixSeconds() }
    }

    public func requestCounts() -> [String: Int] { inner.requestCounts() }

    public func close() async { await inner.close() }

    /// Counts a call and lets it go wrong as the plan says.
    func call<Result>(
        _ kind: FaultyCall.Kind, _ key: ObjectKey?, _ body: () async throws(StorageError) -> Result
    ) async throws(StorageError) -> Result {
        try await run(begin(kind, key).fault, key, body)
    }

    /// Counts a call and asks the plan.
    /// - Returns: what goes wrong with the call itself, and where its bytes are cut.
    private func begin(_ kind: FaultyCall.Kind, _ key: ObjectKey?) -> (fault: Fault?, limit: FaultyLimit?) {
        let call = made.withLock { made in
            let call = FaultyCall(number: made.count + 1, kind: kind, key: key)
            made.append(call)
            return call
        }
        switch plan(call) {
        case .cut(let byteCount, let error): return (nil, FaultyLimit(byteCount: byteCount, error: error))
        case .truncate(let byteCount): return (nil, FaultyLimit(byteCount: byteCount, error: nil))
        case let fault: return (fault, nil)
        }
    }

    private func run<Result>(
        _ fault: Fault?, _ key: ObjectKey?, _ body: () async throws(StorageError) -> Result
    ) async throws(StorageError) -> Result {
        switch fault {
        case .failBefore(let error):
            throw error
        case .failAfter(let error):
            _ = try await body()
            throw error
        case .delay(let duration):
            try? await Task.sleep(for: duration)
        case .hang:
            let (never, continuation) = AsyncStream<Void>.makeStream()
            for await _ in never {}
            continuation.finish()
            throw StorageError(.cancelled, operation: .open, key: key?.string, target: displayName)
        case .cut, .truncate, nil:
            break
        }
        return try await body()
    }
}
