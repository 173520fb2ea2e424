import BackupAPI
import TestSupport
import Testing

@testable import S3Backend

struct FolderWalkTests {
    /// A server that lists each folder by its bare names, `limit` of them a page at most.
    struct FolderServer {
        let keys: [String]
        let pageLimit: Int

        func fetch(_ query: BucketQuery) -> BucketPage {
            var names: Set<String> = []
            for key in keys where key.hasPrefix(query.prefix) {
                let rest = key.dropFirst(query.prefix.count)
                let slash = query.isShallow ? rest.firstIndex(of: "/") : nil
                names.insert(slash.map { query.prefix + rest[...$0] } ?? key)
            }
            let place = query.token ?? query.after
            let behind = names.map { BucketPage.Entry(path: $0, byteCount: $0.hasSuffix("/") ? nil : 1) }
                .filter { entry in place.map { ObjectKey.precedes($0, String(entry.bareName)) } ?? true }
            let entries = behind.sorted { (one: BucketPage.Entry, other: BucketPage.Entry) -> Bool in
                ObjectKey.precedes(String(one.bareName), String(other.bareName))
            }
            let page = entries.prefix(min(query.limit, pageLimit))
            return BucketPage(
                objects: page.filter { $0.byteCount != nil }, folders: page.filter { $0.byteCount == nil },
                token: page.count < entries.count ? page.last.map { String($0.bareName) } : nil)
        }
    }

    /// What the contract says, worked out from all keys.
    static func expected(_ keys: [String], prefix: String, after: String?, isShallow: Bool) -> [String] {
        var paths: Set<String> = []
        for key in keys where key.hasPrefix(prefix) {
            let rest = key.dropFirst(prefix.count)
            let slash = isShallow ? rest.firstIndex(of: "/") : nil
            paths.insert(slash.map { prefix + rest[...$0] } ?? key)
        }
        return paths.filter { path in after.map { ObjectKey.precedes($0, path) } ?? true }
            .sorted(by: ObjectKey.precedes)
    }

    @Test(arguments: 0..<40)
    func `pages of any size join to the whole listing in byte order`(seed: Int) throws {
        var numbers = SeededNumbers(seed: UInt64(seed))
        let parts = ["a", "a-", "a-b", "a b", "a.b", "a0", "b", "b!", "b!x", "z"]
        // A folder server keeps no object and folder of one name apart in its pages, so that leaves have names of their own.
        let keys = Set(
            (0..<30).map { _ in
                let depth = Int.random(in: 0...2, using: &numbers)
                let folders = (0..<depth).compactMap { _ in parts.randomElement(using: &numbers) }
                let leaf = (parts.randomElement(using: &numbers) ?? "a") + (depth == 2 ? "" : "_")
                return (folders + [leaf]).joined(separator: "/")
            })
        let server = FolderServer(keys: Array(keys), pageLimit: Int.random(in: 1...5, using: &numbers))
        for prefix in ["", "a", "a/", "a-", "a/a", "q"] {
            for isShallow in [false, true] {
                for limit in [1, 2, 7, 1000] {
                    var found: [String] = []
                    var after: String?
                    while true {
                        var walk = FolderWalk(isShallow: isShallow, limit: limit, isVisible: { _ in true }) {
                            server.fetch($0)
                        }
                        try walk.collect(prefix: prefix, after: after)
                        found += walk.entries.map(\.path)
                        guard walk.isFull else { break }
                        after = walk.entries.last?.path
                    }
                    #expect(
                        found
                            == FolderWalkTests.expected(Array(keys), prefix: prefix, after: nil, isShallow: isShallow),
                        "seed \(seed), prefix '\(prefix)', limit \(limit)")
                }
                for after in ["", "a", "a-", "a/", "a/a", "a.b/b", "b!/", "b!0", "zz"] {
                    var walk = FolderWalk(isShallow: isShallow, limit: 1000, isVisible: { _ in true }) {
                        server.fetch($0)
                    }
                    try walk.collect(prefix: prefix, after: after)
                    #expect(
                        walk.entries.map(\.path)
                            == FolderWalkTests.expected(
                                Array(keys), prefix: prefix, after: after, isShallow: isShallow),
                        "seed \(seed), prefix '\(prefix)', after '\(after)'")
                }
            }
        }
    }
}
