import BackupAPI
import Synchronization

/// Lists the objects of a target, in byte order whatever the order of the server.
final class S3Listing: Sendable {
    private let client: S3Client
    private let isByFolder = Atomic<Bool>(false)

    /// Makes a listing.
    init(client: S3Client) { self.client = client }

    /// Whether the server was found to list folder by folder.
    var walksFolders: Bool { isByFolder.load(ordering: .relaxed) }

    /// Gives one page; it blocks the calling thread.
    func page(_ request: ListRequest, cancel: CancelFlag) throws(S3Fault) -> ListPage {
        let root = client.configuration.rootPrefix
        var query = BucketQuery(
            prefix: root + request.prefix, after: request.after.map { root + $0 }, isShallow: request.isShallow,
            limit: request.limit)
        guard !walksFolders else { return try walk(query, root: root, cancel: cancel) }
        while true {
            let page = try fetch(query, cancel: cancel)
            if !isInByteOrder(page, after: query.after) {
                isByFolder.store(true, ordering: .relaxed)
                guard query.after == nil || isKnownToListByFolder else {
                    // Earlier pages may have left something out.
                    throw .malformed("the server does not list in byte order; list again from the beginning")
                }
            }
            if isKnownToListByFolder { isByFolder.store(true, ordering: .relaxed) }
            guard !walksFolders else { return try walk(query, root: root, cancel: cancel) }
            let found = (page.objects + page.folders).sorted { ObjectKey.precedes($0.path, $1.path) }
                .filter { entry in query.after.map { ObjectKey.precedes($0, entry.path) } ?? true }
            let entries = found.compactMap { entry(of: $0, root: root) }
            if !entries.isEmpty || page.token == nil {
                return ListPage(entries: entries, hasMore: page.token != nil)
            }
            guard page.token != query.token else { throw .malformed("the listing does not go on") }
            query.token = page.token
        }
    }

    /// Asks for one page of the bucket.
    func fetch(_ query: BucketQuery, cancel: CancelFlag) throws(S3Fault) -> BucketPage {
        var request = S3Request(operation: "ListObjectsV2", method: "GET")
        request.query = [
            (name: "list-type", value: "2"), (name: "encoding-type", value: "url"),
            (name: "max-keys", value: String(query.limit)), (name: "prefix", value: query.prefix),
        ]
        if query.isShallow { request.query.append((name: "delimiter", value: "/")) }
        if let token = query.token {
            request.query.append((name: "continuation-token", value: token))
        } else if let after = query.after {
            request.query.append((name: "start-after", value: after))
        }
        var page = try BucketPage(try client.sendForDocument(request, cancel: cancel))
        // Some servers take `a//` for `a/`.
        page.objects.removeAll { !$0.path.utf8.starts(with: query.prefix.utf8) }
        page.folders.removeAll { !$0.path.utf8.starts(with: query.prefix.utf8) }
        return page
    }

    private func walk(_ query: BucketQuery, root: String, cancel: CancelFlag) throws(S3Fault) -> ListPage {
        var walk = FolderWalk(
            isShallow: query.isShallow, limit: query.limit,
            isVisible: { self.entry(of: $0, root: root) != nil },
            fetch: { query throws(S3Fault) in try self.fetch(query, cancel: cancel) })
        try walk.collect(prefix: query.prefix, after: query.after)
        return ListPage(entries: walk.entries.compactMap { entry(of: $0, root: root) }, hasMore: walk.isFull)
    }

    private var isKnownToListByFolder: Bool { client.serverTraits.listsByFolder }

    /// Whether a page shows no sign of another order. A folder may begin the place that was asked for.
    private func isInByteOrder(_ page: BucketPage, after: String?) -> Bool {
        for run in [page.objects, page.folders] {
            for (one, next) in zip(run, run.dropFirst()) where !ObjectKey.precedes(one.path, next.path) { return false }
        }
        guard let after else { return true }
        return page.objects.allSatisfy { ObjectKey.precedes(after, $0.path) }
            && page.folders.allSatisfy {
                ObjectKey.precedes(after, $0.path) || after.utf8.starts(with: $0.path.utf8)
            }
    }

    /// The entry as callers see it; nil for temporaries, and for keys that no object of ours can have.
    private func entry(of found: BucketPage.Entry, root: String) -> ListEntry? {
        guard found.path.utf8.starts(with: root.utf8),
            let path = String(found.path.utf8.dropFirst(root.utf8.count)),
            let key = try? ObjectKey(found.byteCount == nil ? String(Substring(path.utf8.dropLast())) : path)
        else { return nil }
        guard let byteCount = found.byteCount else { return .folder(path) }
        return .object(ObjectInfo(key: key, byteCount: byteCount))
    }
}
