import BackupAPI
import BackupConformance
import Synchronization

/// What is wrong with a `BrokenBackend`, each with the law that it breaks.
enum Flaw: String, Sendable, CaseIterable {
    case rangeIsOffByOne, losesLastByte, trustsSizeHint, overwritesBuffer
    case showsUploads, replacesInPlace, replacesInTwoSteps, readerMixesVersions
    case losesObjectsOfClosedConnections
    case cachesLooks, keepsListingOfDeleted
    case keepsOldTail
    case ignoresIfAbsent, checksIfAbsentAtBegin
    case abortLeavesObject, dropLeavesObject
    case cancelledAbortLeavesObject
    case deleteThrowsOnMissing, deletesByPrefix, deletesFirstOfBatch
    case listsInPathOrder, repeatsAcrossPages, ignoresLimit, cutsPrefixToFolder, hidesLastKey, namesFoldersTwice
    case listsTemporaries
    case decodesPercent, composesUnicode, lowersCase
    case missingIsFailed, rangeBehindEndThrows, folderIsObject
    case sharesBuffer
    case sweepsLivingUploads
    case secretInName, secretInError

    /// The law that this flaw must be caught under.
    var law: BackendLaw {
        switch self {
        case .rangeIsOffByOne, .losesLastByte, .trustsSizeHint, .overwritesBuffer: .roundTrip
        case .showsUploads, .replacesInPlace, .replacesInTwoSteps, .readerMixesVersions: .commitIsAtomic
        case .losesObjectsOfClosedConnections: .commitIsDurable
        case .cachesLooks, .keepsListingOfDeleted: .readAfterWrite
        case .keepsOldTail: .replaceIsWhole
        case .ignoresIfAbsent, .checksIfAbsentAtBegin: .ifAbsentIsHonest
        case .abortLeavesObject, .dropLeavesObject: .abortLeavesNothing
        case .cancelledAbortLeavesObject: .cancelLeavesNothing
        case .deleteThrowsOnMissing, .deletesByPrefix, .deletesFirstOfBatch: .deleteIsIdempotent
        case .listsInPathOrder, .repeatsAcrossPages, .ignoresLimit, .cutsPrefixToFolder, .hidesLastKey,
            .namesFoldersTwice:
            .listIsOrdered
        case .listsTemporaries: .listHidesTemporaries
        case .decodesPercent, .composesUnicode, .lowersCase: .namesAreKept
        case .missingIsFailed, .rangeBehindEndThrows, .folderIsObject: .errorsHaveReasons
        case .sharesBuffer: .callsMayOverlap
        case .sweepsLivingUploads: .sweepIsCareful
        case .secretInName, .secretInError: .noSecretIsPrinted
        }
    }
}

/// A connection to a memory backend that does one thing wrong.
final class BrokenBackend: StorageBackend {
    static let secret = "hunter2-hunter2"

    let inner: MemoryBackend
    let flaw: Flaw
    let looks = Mutex<[ObjectKey: ObjectInfo?]>([:])
    let deleted = Mutex<Set<ObjectKey>>([])
    let written = Mutex<[ObjectKey]>([])
    let sharedBytes = Mutex<[UInt8]>([])
    let uploads = Mutex<[ObjectKey: Bool]>([:])

    init(_ inner: MemoryBackend, _ flaw: Flaw) {
        self.inner = inner
        self.flaw = flaw
    }

    var displayName: String { flaw == .secretInName ? "memory://me:\(BrokenBackend.secret)@" : inner.displayName }

    var capabilities: Capabilities {
        var capabilities = inner.capabilities
        if flaw == .losesObjectsOfClosedConnections { capabilities.durability = .durable }
        return capabilities
    }

    func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo {
        if flaw == .folderIsObject, inner.keys.contains(where: { $0.string.hasPrefix(key.string + "/") }) {
            return ObjectInfo(key: key, byteCount: 0)
        }
        guard flaw == .cachesLooks else {
            return try await spoilingErrors(key) { () throws(StorageError) in
                let told = try await inner.stat(stored(key))
                return ObjectInfo(key: key, byteCount: told.byteCount)
            }
        }
        if let known = looks.withLock({ $0[key] }) {
            guard let known else { throw error(.notFound, .stat, key) }
            return known
        }
        let info = try? await inner.stat(key)
        looks.withLock { $0[key] = .some(info) }
        guard let info else { throw error(.notFound, .stat, key) }
        return info
    }

    func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        var range = range
        if let asked = range {
            if flaw == .rangeIsOffByOne, asked.offset > 0 {
                range = ByteRange(offset: asked.offset + 1, count: asked.count)
            }
            if flaw == .rangeBehindEndThrows, asked.offset > (inner.contents[stored(key)]?.count ?? 0) {
                throw error(.failed, .read, key)
            }
        }
        let asked = range
        let reader = try await spoilingErrors(key) { () throws(StorageError) in
            try await inner.openRead(stored(key), range: asked)
        }
        return BrokenSource(reader, place: self, key: key)
    }

    func beginWrite(_ key: ObjectKey, options: WriteOptions) async throws(StorageError) -> any UploadDriver {
        var options = options
        if flaw == .ignoresIfAbsent { options.ifAbsent = false }
        if flaw == .checksIfAbsentAtBegin, options.ifAbsent {
            if inner.contents[key] != nil { throw error(.alreadyExists, .write, key) }
            options.ifAbsent = false
        }
        let driver = try await inner.beginWrite(stored(key), options: options)
        uploads.withLock { $0[key] = true }
        return BrokenSink(driver, place: self, key: stored(key), hint: options.expectedByteCount)
    }

    func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] {
        switch flaw {
        case .deleteThrowsOnMissing:
            for key in keys where inner.contents[key] == nil { throw error(.notFound, .delete, key) }
        case .deletesByPrefix:
            let below = inner.keys.filter { key in keys.contains { key.string.hasPrefix($0.string) } }
            return try await inner.delete(below)
        case .deletesFirstOfBatch:
            return try await inner.delete(Array(keys.prefix(10)))
        case .keepsListingOfDeleted:
            deleted.withLock { $0.formUnion(keys) }
        default: break
        }
        return try await inner.delete(keys.map(stored))
    }

    func sweepUnfinished(prefix: String) async throws(StorageError) -> Int {
        if flaw == .sweepsLivingUploads { uploads.withLock { $0 = $0.mapValues { _ in false } } }
        return 0
    }

    func freeByteCount() async throws(StorageError) -> Int? { nil }

    func close() async {
        guard flaw == .losesObjectsOfClosedConnections else { return }
        _ = try? await inner.delete(written.withLock { $0 })
    }

    func error(
        _ reason: StorageError.Reason, _ operation: StorageError.Operation, _ key: ObjectKey
    ) -> StorageError {
        StorageError(reason, operation: operation, key: key.string, target: displayName)
    }

    /// The key under which the object is really kept.
    private func stored(_ key: ObjectKey) -> ObjectKey {
        let name =
            switch flaw {
            case .decodesPercent: key.string.replacing("%25", with: "%")
            case .composesUnicode: key.string.replacing("e\u{301}", with: "\u{E9}")
            case .lowersCase: key.string.lowercased()
            default: key.string
            }
        return (try? ObjectKey(name)) ?? key
    }

    /// Runs a call and puts something wrong into its error.
    private func spoilingErrors<Result>(
        _ key: ObjectKey, _ body: () async throws(StorageError) -> Result
    ) async throws(StorageError) -> Result {
        do throws(StorageError) {
            return try await body()
        } catch {
            switch flaw {
            case .missingIsFailed: throw self.error(.failed, .stat, key)
            case .secretInError:
                throw StorageError(
                    error.reason, operation: error.operation, key: error.key, target: error.target,
                    detail: "Authorization: \(BrokenBackend.secret)")
            default: throw error
            }
        }
    }
}
