import BackupAPI

/// Lists in byte order on a server that lists folder by folder.
///
/// Some servers keep keys as files in folders and list each folder by its bare names, so that `a/x` comes before `a-b`
/// although `/` sorts behind `-`. Here each folder is listed by itself, and a folder is held back until all names that
/// sort before its slash have come. It is right for servers that list in byte order too, but costs a request for each
/// folder. Only names that begin alike are held at once.
struct FolderWalk {
    /// Gives a page of a folder, in the order of bare names.
    typealias Fetch = (BucketQuery) throws(S3Fault) -> BucketPage

    /// What was found, in byte order.
    private(set) var entries: [BucketPage.Entry] = []
    private let isShallow: Bool
    private let limit: Int
    private let isVisible: (BucketPage.Entry) -> Bool
    private let fetch: Fetch

    /// Whether the walk ended because the limit was reached.
    var isFull: Bool { entries.count >= limit }

    /// Makes a walk.
    /// - Parameter isVisible: whether an entry is for people; folders that are not are not entered.
    init(
        isShallow: Bool, limit: Int, isVisible: @escaping (BucketPage.Entry) -> Bool, fetch: @escaping Fetch
    ) {
        self.isShallow = isShallow
        self.limit = limit
        self.isVisible = isVisible
        self.fetch = fetch
    }

    /// Collects what begins with `prefix` and sorts behind `after`.
    mutating func collect(prefix: String, after: String?) throws(S3Fault) {
        let folder = FolderWalk.folder(of: prefix)
        guard let after, !ObjectKey.precedes(after, prefix) else {
            return try collect(folder: folder, prefix: prefix, after: nil)
        }
        // What begins with the prefix lies together: a place behind it that does not begin so lies behind all of it.
        guard after.utf8.starts(with: prefix.utf8) else { return }
        try collect(folder: folder, prefix: prefix, after: after)
    }

    /// - Parameter after: nil, or a text that begins with `prefix`, which begins with `folder`.
    private mutating func collect(folder: String, prefix: String, after: String?) throws(S3Fault) {
        guard let after, !after.utf8.elementsEqual(folder.utf8) else {
            return try collectLevel(folder, prefix, after: nil, name: "")
        }
        let rest = after.utf8.dropFirst(folder.utf8.count)
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else {
            return try collectLevel(folder, prefix, after: after, name: String(Substring(rest)))
        }
        // The place lies inside of a folder here: its rest comes first.
        let child = folder + String(Substring(rest[...slash]))
        if !isShallow { try collect(folder: child, prefix: child, after: after) }
        try collectLevel(folder, prefix, after: child, name: String(Substring(rest[..<slash])))
    }

    /// Goes through one folder, behind `after`, whose part in this folder is `name`.
    private mutating func collectLevel(
        _ folder: String, _ prefix: String, after: String?, name: String
    ) throws(S3Fault) {
        guard !isFull else { return }
        var held = foldersHeldBack(folder, prefix, at: name, isPassed: after?.utf8.last == UInt8(ascii: "/"))
        var query = BucketQuery(
            prefix: prefix, after: name.isEmpty ? nil : folder + name, isShallow: true, limit: 1000)
        repeat {
            let page = try fetch(query)
            let found = (page.objects + page.folders).filter { entry in
                after.map { ObjectKey.precedes($0, entry.path) } ?? true
            }
            for entry in found.sorted(by: { FolderWalk.bareNamePrecedes($0, $1) }) {
                while let first = held.first, ObjectKey.precedes(first, String(entry.bareName)) {
                    held.removeFirst()
                    try emit(folder: first)
                }
                if entry.byteCount != nil {
                    emit(entry)
                } else if !held.contains(where: { $0.utf8.elementsEqual(entry.path.utf8) }) {
                    held.append(entry.path)
                    held.sort(by: ObjectKey.precedes)
                }
                guard !isFull else { return }
            }
            guard page.token == nil || page.token != query.token else {
                throw .malformed("the listing does not go on")
            }
            query.token = page.token
        } while query.token != nil
        for path in held { try emit(folder: path) }
    }

    /// Folders that the server would list before `name` but that sort behind it: those whose name begins it. They may
    /// not be there.
    private func foldersHeldBack(_ folder: String, _ prefix: String, at name: String, isPassed: Bool) -> [String] {
        let bytes = Array(name.utf8)
        var held = bytes.indices.dropFirst().filter { bytes[$0] < UInt8(ascii: "/") }
            .map { folder + String(decoding: bytes[..<$0], as: UTF8.self) + "/" }
        if !isPassed, !name.isEmpty { held.append(folder + name + "/") }
        return held.filter { $0.utf8.starts(with: prefix.utf8) }.sorted(by: ObjectKey.precedes)
    }

    private mutating func emit(_ entry: BucketPage.Entry) {
        if !isFull, isVisible(entry) { entries.append(entry) }
    }

    private mutating func emit(folder path: String) throws(S3Fault) {
        let entry = BucketPage.Entry(path: path)
        guard !isFull, isVisible(entry) else { return }
        guard isShallow else { return try collect(folder: path, prefix: path, after: nil) }
        // Such a server may keep a folder after its last object was deleted.
        let page = try fetch(BucketQuery(prefix: path, after: nil, isShallow: false, limit: 1))
        if !page.objects.isEmpty { emit(entry) }
    }

    /// The text up to its last slash. Keys are cut by bytes: a combining mark behind a slash would hide it from `String`.
    private static func folder(of prefix: String) -> String {
        guard let slash = prefix.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return String(Substring(prefix.utf8[...slash]))
    }

    private static func bareNamePrecedes(_ left: BucketPage.Entry, _ right: BucketPage.Entry) -> Bool {
        let (one, other) = (left.bareName, right.bareName)
        if one.utf8.elementsEqual(other.utf8) { return left.byteCount != nil && right.byteCount == nil }
        return one.utf8.lexicographicallyPrecedes(other.utf8)
    }
}
