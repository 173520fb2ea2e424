import BackupAPI
import BackupConformance
import Synchronization

extension BrokenBackend {
    func list(_ request: ListRequest) async throws(StorageError) -> ListPage {
        switch flaw {
        case .repeatsAcrossPages:
            guard let after = request.after, let key = try? ObjectKey(after), let bytes = inner.contents[key] else {
                return try await inner.list(request)
            }
            let page = try await inner.list(request)
            let again = ListEntry.object(ObjectInfo(key: key, byteCount: bytes.count))
            return ListPage(entries: Array(([again] + page.entries).prefix(request.limit)), hasMore: page.hasMore)
        case .ignoresLimit:
            var request = request
            request.limit = 1000
            return try await inner.list(request)
        case .cutsPrefixToFolder:
            var request = request
            request.prefix = String(
                request.prefix.prefix(through: request.prefix.lastIndex(of: "/") ?? request.prefix.startIndex))
            return try await inner.list(request)
        case .hidesLastKey:
            let page = try await inner.list(request)
            guard !page.hasMore, page.entries.count > 5 else { return page }
            return ListPage(entries: page.entries.dropLast(), hasMore: false)
        case .namesFoldersTwice:
            let page = try await inner.list(request)
            return ListPage(
                entries: page.entries.flatMap { if case .folder = $0 { [$0, $0] } else { [$0] } }, hasMore: page.hasMore
            )
        case .listsInPathOrder:
            let page = try await inner.list(request)
            return ListPage(
                entries: page.entries.sorted {
                    $0.position.split(separator: "/").lexicographicallyPrecedes($1.position.split(separator: "/"))
                }, hasMore: page.hasMore)
        case .keepsListingOfDeleted:
            let page = try await inner.list(request)
            let gone = deleted.withLock { $0 }.filter { $0.string.hasPrefix(request.prefix) }.sorted()
                .map { ListEntry.object(ObjectInfo(key: $0, byteCount: 0)) }
            return ListPage(entries: page.entries + gone.filter { !page.entries.contains($0) }, hasMore: false)
        default: return try await inner.list(request)
        }
    }
}
