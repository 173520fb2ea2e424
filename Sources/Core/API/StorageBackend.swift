/// A place that keeps objects: a directory, a bucket, an SFTP server.
///
/// This is the whole contract between the engine and a plugin. The laws below are checked by `BackendConformance`, under
/// these names. **Blocking is allowed**: the engine runs every call on threads made for it, so an implementation may call
/// `read(2)`, `poll(2)` or a blocking C library directly. Calls come from several tasks at once.
///
/// Laws:
/// - `round-trip`: what was committed is read back, byte for byte, whole and by any range.
/// - `commit-is-atomic`: before `commit` returns, a reader finds what was there, or already the whole new object; afterwards the
///   new one. Where `capabilities.hasAtomicReplace` is false, it may find none while an object is replaced.
/// - `commit-is-durable`: where `capabilities.durability` is `.durable`, a committed object survives a power cut.
/// - `read-after-write`: `stat`, `openRead` and `list` see an object as soon as `commit` has returned.
/// - `replace-is-whole`: a write without `ifAbsent` replaces an object completely.
/// - `if-absent-is-honest`: of writers that race to create a key, exactly one commits; the others get `.alreadyExists`.
/// - `abort-leaves-nothing`: after `abort`, or an upload that was dropped, nothing new is visible and nothing old is changed.
/// - `cancel-leaves-nothing`: a cancelled write behaves as an aborted one.
/// - `delete-is-idempotent`: deleting what is not there succeeds; a deleted object is gone for every call.
/// - `list-is-ordered`: a listing is in byte order, names each key once, and pages join without gap or repetition.
/// - `list-hides-temporaries`: what an unfinished write keeps is in no listing.
/// - `names-are-kept`: keys with spaces, `%`, `+`, quotes and any unicode are kept as they are.
/// - `errors-have-reasons`: a missing object is `.notFound`; a range behind the end gives no bytes, not an error.
/// - `no-secret-is-printed`: `displayName` and every error are fit for a log.
/// - `calls-may-overlap`: calls from several tasks at once give what they would give one after the other.
/// - `sweep-is-careful`: `sweepUnfinished` removes neither an object nor what a living writer still uses.
///
/// The engine replaces objects only where it matters little that one is gone for a moment: a lease that is renewed, what a
/// retried or repeated run writes again before the record is there, and what `target check` measures with.
///
/// A key and a key below it, such as `a` and `a/b`, are never both used: a directory cannot hold both.
public protocol StorageBackend: Sendable {
    /// The place in words for people and logs, such as `s3://bucket/prefix`; never with a secret.
    var displayName: String { get }

    /// What the place can do.
    var capabilities: Capabilities { get }

    /// Looks at an object.
    /// - Throws: `.notFound` when there is none.
    func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo

    /// Opens an object, or a run of it, for reading from front to back.
    /// - Throws: `.notFound` when there is none; it may also be thrown by the first `read`.
    func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader

    /// Begins an object. Nothing is visible before the driver's `commit` has returned.
    ///
    /// Callers use `put(_:options:_:)`, which keeps the driver in a scope.
    func beginWrite(_ key: ObjectKey, options: WriteOptions) async throws(StorageError) -> any UploadDriver

    /// Lists keys in byte order, a page at a time, without reading a whole tree for one page.
    func list(_ request: ListRequest) async throws(StorageError) -> ListPage

    /// Deletes objects; a key that is not there counts as deleted.
    /// - Returns: the keys that could not be deleted, each with its error; empty when all are gone.
    func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError]

    /// Removes what unfinished writes of dead processes left behind (temporaries, multipart uploads) of keys that begin with
    /// `prefix`. Where a temporary does not tell its key, those in the prefix's own folder count.
    /// - Returns: how many were removed. Those that may still be in use are kept.
    func sweepUnfinished(prefix: String) async throws(StorageError) -> Int

    /// Free room in bytes, where the place can tell.
    func freeByteCount() async throws(StorageError) -> Int?

    /// Seconds since 1970 (UTC) by the clock of the place, which may differ from ours; nil where it does not show it.
    /// It may write a small temporary and remove it again.
    func unixSeconds() async throws(StorageError) -> Int?

    /// How many requests of each kind were sent so far, by the names of the place's protocol; empty where nothing is sent.
    /// Those that were sent again count, too.
    func requestCounts() -> [String: Int]

    /// Ends connections. No call follows.
    func close() async
}

extension StorageBackend {
    /// The place does not show a clock.
    public func unixSeconds() async throws(StorageError) -> Int? { nil }

    /// Nothing is sent.
    public func requestCounts() -> [String: Int] { [:] }
}

/// How an object is to be written.
public struct WriteOptions: Sendable, Hashable {
    /// Whether an object that is there already makes the write fail with `.alreadyExists`, at `beginWrite` or at `commit`.
    public var ifAbsent: Bool
    /// About how many bytes will come, where the caller knows; it only helps to choose a technique.
    public var expectedByteCount: Int?

    /// Makes options.
    public init(ifAbsent: Bool = false, expectedByteCount: Int? = nil) {
        self.ifAbsent = ifAbsent
        self.expectedByteCount = expectedByteCount
    }
}

/// Reads one object, or a run of it, from front to back. One task uses it.
public protocol ObjectReader: AnyObject, Sendable {
    /// Appends bytes to `buffer`, at least one while any are left, and as many as come without waiting long.
    /// - Returns: how many bytes were appended; 0 at the end, or when `buffer` has no room.
    func read(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int

    /// Ends the reading early or at the end. No call follows.
    func close() async
}

/// Writes one object. One task uses it; after `abort` or a `commit` that returned no call follows.
///
/// A `commit` that throws leaves nothing behind by itself; `abort` may be called after it all the same.
public protocol UploadDriver: AnyObject, Sendable {
    /// Takes the next bytes. They may not be kept beyond the call without copying.
    func write(_ bytes: RawSpan) async throws(StorageError)

    /// Makes the object visible and durable, as a whole.
    func commit() async throws(StorageError)

    /// Leaves nothing behind. It does not throw: what cannot be removed now is a case for `sweepUnfinished`.
    func abort() async
}
