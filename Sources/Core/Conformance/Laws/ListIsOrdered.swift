import BackupAPI

extension ConformanceBench {
    /// Names whose byte order is not the order of their paths, nested and not; none is the beginning of another's path.
    private static let listedNames = [
        "A", "a b", "a!", "a-b", "a.b", "a.b.c", "a/b", "a/b-c", "a/b.c", "a/c!/x", "a/c-d/x", "a/c/d/e", "a/c/d-e",
        "a/c/d.e/f", "a/c0", "a0", "aB", "ab/c", "b/a", "b/b", "b0/a", "c", "Z/z", "\u{E9}/x", "\u{1F600}", "~",
    ]

    /// Checks `list-is-ordered` against a plain model: prefixes, starts, folders, and pages of every length.
    func checkListIsOrdered() async throws {
        var keys: [ObjectKey] = []
        for name in ConformanceBench.listedNames.shuffled() {
            let key = try key(name)
            keys.append(key)
            try await write(Sample.bytes(name.utf8.count, seed: 1), to: key)
        }
        keys.sort()
        for isShallow in [false, true] {
            for prefix in ["", "a", "a/", "a/b", "a/c", "a/c/", "a/c/d", "a.", "b", "b/", "zz", "a/c/d/e/", "a//", "/"]
            {
                try await compare(
                    prefix: prefix, after: nil, isShallow, keys,
                    limits: prefix.isEmpty ? [1, 2, 3, 7, 1000] : [2, 1000])
            }
            try await checkStarts(isShallow, keys)
        }
        try await compare(
            prefix: "", after: nil, false, keys, limits: Array(1...keys.count + 1), connection: other)
        if options.checksThousands { try await checkThousands() }
    }

    private func checkStarts(_ isShallow: Bool, _ keys: [ObjectKey]) async throws {
        var starts = ["", " ", "a", "a.", "a/", "a/c/", "a/c/d/", "a/c/d.", "a0", "b/a\u{1}", "zz", "~~"]
        starts += ["a/b", "a-b", "a.b", "a/c/d/e", "b/b", "~"]
        for start in starts {
            try await compare(prefix: "", after: folder + start, isShallow, keys, limits: [2, 1000])
            try await compare(prefix: "a/", after: folder + start, isShallow, keys, limits: [2, 1000])
        }
        try await compare(prefix: "", after: "", isShallow, keys, limits: [1000])
        try await compare(prefix: "", after: folder, isShallow, keys, limits: [1000])
        try await compare(prefix: "a/c", after: folder + "a/", isShallow, keys, limits: [1])
    }

    private func checkThousands() async throws {
        let keys = try (0..<1_203).map { try key("thousands/\($0 % 11)/\($0)") }.sorted()
        for key in keys { try await write([7], to: key) }
        for isShallow in [false, true] {
            try await compare(prefix: "thousands/", after: nil, isShallow, keys, limits: [1000, 600])
        }
    }

    private func compare(
        prefix: String, after: String?, _ isShallow: Bool, _ keys: [ObjectKey], limits: [Int],
        connection: (any StorageBackend)? = nil
    ) async throws {
        for limit in limits {
            let request = ListRequest(prefix: folder + prefix, after: after, isShallow: isShallow, limit: limit)
            let expected = ListingModel.positions(keys.map(\.string), request)
            let found = try await pages(request, on: connection ?? backend)
            try require(
                found.map { Array($0.utf8) } == expected.map { Array($0.utf8) },
                "\(words(request)) lists \(shorten(found)) and not \(shorten(expected))")
        }
    }

    /// Walks the pages by hand, because each must keep its own promises.
    private func pages(_ request: ListRequest, on connection: any StorageBackend) async throws -> [String] {
        var request = request
        var found: [String] = []
        while true {
            let page = try await connection.list(request)
            let count = page.entries.count
            try require(count <= request.limit, "\(words(request)) gives \(count) entries")
            try require(!page.hasMore || count > 0, "\(words(request)) gives an empty page that has more")
            for entry in page.entries {
                if let last = found.last {
                    try require(
                        ObjectKey.precedes(last, entry.position),
                        "\(words(request)) gives '\(shorten([entry.position]))' behind '\(shorten([last]))'")
                }
                if case .object(let info) = entry, found.count % 5 == 0 {
                    let told = try await connection.stat(info.key).byteCount
                    try require(told == info.byteCount, "a listing says \(info.byteCount) bytes and stat \(told)")
                }
                found.append(entry.position)
            }
            guard page.hasMore else { return found }
            request.after = found.last
        }
    }

    private func words(_ request: ListRequest) -> String {
        let after = request.after.map { ", after '\(shorten([$0]))'" } ?? ""
        let kind = request.isShallow ? "a shallow listing" : "a listing"
        return "\(kind) of '\(shorten([request.prefix]))'\(after), \(request.limit) a page,"
    }

    /// Names without the folder of the law, and not too many of them.
    private func shorten(_ positions: [String]) -> String {
        let names = positions.map { position in
            position.utf8.starts(with: folder.utf8)
                ? String(decoding: position.utf8.dropFirst(folder.utf8.count), as: UTF8.self) : position
        }
        return names.prefix(30).joined(separator: " ") + (names.count > 30 ? " …" : "")
    }
}

/// The plainest way to list, as a measure for others.
enum ListingModel {
    /// The positions of a whole listing, all pages together.
    static func positions(_ keys: [String], _ request: ListRequest) -> [String] {
        let prefix = Array(request.prefix.utf8)
        let cut = keys.filter { $0.utf8.starts(with: prefix) }.map { key in
            guard request.isShallow else { return key }
            let rest = key.utf8.dropFirst(prefix.count)
            guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else { return key }
            return String(decoding: key.utf8[...slash], as: UTF8.self)
        }
        let behind = cut.filter { position in request.after.map { ObjectKey.precedes($0, position) } ?? true }
        return Set(behind.map { Array($0.utf8) }).map { String(decoding: $0, as: UTF8.self) }
            .sorted(by: ObjectKey.precedes)
    }
}
