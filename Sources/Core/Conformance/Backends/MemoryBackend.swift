public import BackupAPI
import Synchronization

/// Keeps objects in memory: the reference backend, for tests of what is built on storage. It keeps every law but that of
/// power cuts, which it does not claim. All users of one instance see the same objects; `close` ends nothing.
public final class MemoryBackend: StorageBackend {
    struct State {
        /// The objects by key.
        var objects: [ObjectKey: [UInt8]] = [:]
        /// The keys in byte order.
        var keys: [ObjectKey] = []
        /// How many uploads have begun and neither ended nor been dropped.
        var unfinishedCount = 0
    }

    public let displayName: String
    public let capabilities: Capabilities
    let state = Mutex(State())

    /// Makes an empty place.
    public init(name: String = "memory:") {
        displayName = name
        capabilities = Capabilities(
            durability: .unknown, hasAtomicCreate: true, hasAtomicReplace: true, usefulConcurrency: 4)
    }

    public func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo {
        ObjectInfo(key: key, byteCount: try bytes(of: key, for: .stat).count)
    }

    public func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        let bytes = try bytes(of: key, for: .read)
        guard let range else { return MemorySource(bytes[...]) }
        let start = min(range.offset, bytes.count)
        return MemorySource(bytes[start..<max(start, min(range.end, bytes.count))])
    }

    public func beginWrite(_ key: ObjectKey, options: WriteOptions) async throws(StorageError) -> any UploadDriver {
        let isThere = state.withLock { $0.objects[key] != nil }
        if options.ifAbsent, isThere { throw error(.alreadyExists, .write, key) }
        return MemorySink(place: self, key: key, ifAbsent: options.ifAbsent)
    }

    public func list(_ request: ListRequest) async throws(StorageError) -> ListPage {
        state.withLock { state in
            MemoryListing.page(of: state.keys, request) { state.objects[$0]?.count ?? 0 }
        }
    }

    public func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] {
        state.withLock { state in
            for key in keys where state.objects.removeValue(forKey: key) != nil {
                state.keys.remove(at: MemoryListing.index(of: key.string, in: state.keys))
            }
        }
        return [:]
    }

    public func sweepUnfinished(prefix: String) async throws(StorageError) -> Int { 0 }

    public func freeByteCount() async throws(StorageError) -> Int? { nil }

    public func close() async {}

    func error(_ reason: StorageError.Reason, _ operation: StorageError.Operation, _ key: ObjectKey) -> StorageError {
        StorageError(reason, operation: operation, key: key.string, target: displayName)
    }

    private func bytes(of key: ObjectKey, for operation: StorageError.Operation) throws(StorageError) -> [UInt8] {
        guard let bytes = state.withLock({ $0.objects[key] }) else { throw error(.notFound, operation, key) }
        return bytes
    }
}

/// For tests that look at what was stored, or damage it.
extension MemoryBackend {
    /// Every object with its bytes.
    public var contents: [ObjectKey: [UInt8]] { state.withLock { $0.objects } }

    /// The keys of all objects in byte order.
    public var keys: [ObjectKey] { state.withLock { $0.keys } }

    /// How many uploads have begun and were neither committed nor aborted nor dropped.
    public var unfinishedCount: Int { state.withLock { $0.unfinishedCount } }

    /// Puts these bytes in place of an object, or makes one, behind the back of all writers and readers.
    public func plant(_ bytes: [UInt8], at key: ObjectKey) {
        state.withLock { state in
            if state.objects.updateValue(bytes, forKey: key) == nil {
                state.keys.insert(key, at: MemoryListing.index(of: key.string, in: state.keys))
            }
        }
    }

    /// Changes an object's bytes in place, as a fault of the medium does.
    /// - Returns: whether there is such an object.
    @discardableResult
    public func damage(_ key: ObjectKey, _ change: (inout [UInt8]) -> Void) -> Bool {
        guard var bytes = contents[key] else { return false }
        change(&bytes)
        plant(bytes, at: key)
        return true
    }
}
