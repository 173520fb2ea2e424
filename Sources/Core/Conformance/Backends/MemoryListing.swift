import BackupAPI

/// Makes a page of a listing from keys in byte order.
enum MemoryListing {
    /// The place of the first key that is not before `text`.
    static func index(of text: String, in keys: [ObjectKey]) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if ObjectKey.precedes(keys[middle].string, text) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Lists one page.
    static func page(of keys: [ObjectKey], _ request: ListRequest, byteCount: (ObjectKey) -> Int) -> ListPage {
        let prefix = request.prefix.utf8
        let start = [request.prefix, request.after ?? ""].max(by: ObjectKey.precedes) ?? ""
        var entries: [ListEntry] = []
        for key in keys[index(of: start, in: keys)...] {
            guard key.string.utf8.starts(with: prefix) else { break }
            let entry = entry(for: key, request, byteCount: byteCount)
            if let after = request.after, !ObjectKey.precedes(after, entry.position) { continue }
            if let last = entries.last, !ObjectKey.precedes(last.position, entry.position) { continue }
            if entries.count == request.limit { return ListPage(entries: entries, hasMore: true) }
            entries.append(entry)
        }
        return ListPage(entries: entries, hasMore: false)
    }

    private static func entry(for key: ObjectKey, _ request: ListRequest, byteCount: (ObjectKey) -> Int) -> ListEntry {
        let rest = key.string.utf8.dropFirst(request.prefix.utf8.count)
        guard request.isShallow, let slash = rest.firstIndex(of: UInt8(ascii: "/")) else {
            return .object(ObjectInfo(key: key, byteCount: byteCount(key)))
        }
        return .folder(String(decoding: key.string.utf8[...slash], as: UTF8.self))
    }
}
