import BackupAPI
import Glibc

/// Collects one page of a listing by walking folders in the byte order of whole keys.
///
/// `a.b` sorts before `a/b`, so a folder takes its place among objects by its name with a `/` behind it.
struct ChunkListing {
    private let layout: ChunkLayout
    private let request: ListRequest
    private var entries: [ListEntry] = []

    /// Begins a page.
    init(_ layout: ChunkLayout, _ request: ListRequest) {
        self.layout = layout
        self.request = request
    }

    /// Collects the page, and one entry more to know whether there is one.
    mutating func page() throws(FileFault) -> ListPage {
        try visit(layout.root, "")
        return ListPage(entries: Array(entries.prefix(request.limit)), hasMore: entries.count > request.limit)
    }

    /// Takes what a folder holds; `position` is the beginning of its keys.
    private mutating func visit(_ folder: String, _ position: String) throws(FileFault) {
        for name in try ChunkListing.sortedNames(in: folder) where entries.count <= request.limit {
            let found = position + name
            guard isWanted(found) else { continue }
            if !name.utf8.ends(with: "/") {
                guard let key = try? ObjectKey(found), let manifest = try? layout.manifest(of: key) else { continue }
                entries.append(.object(ObjectInfo(key: key, byteCount: manifest.byteCount)))
            } else if request.isShallow, found.utf8.count > request.prefix.utf8.count {
                if try holdsObject("\(folder)/d.\(name)") { entries.append(.folder(found)) }
            } else {
                try visit("\(folder)/d.\(name)", found)
            }
        }
    }

    /// Whether an entry, or for a folder what it may hold, has the prefix and sorts behind `after`.
    private func isWanted(_ found: String) -> Bool {
        let isFolder = found.utf8.ends(with: "/")
        let leadsToPrefix = isFolder && request.prefix.utf8.starts(with: found.utf8)
        guard leadsToPrefix || found.utf8.starts(with: request.prefix.utf8) else { return false }
        guard let after = request.after, !ObjectKey.precedes(after, found) else { return true }
        let isListedItself = request.isShallow && !leadsToPrefix
        return isFolder && !isListedItself && after.utf8.starts(with: found.utf8)
    }

    private func holdsObject(_ folder: String) throws(FileFault) -> Bool {
        for name in try ChunkListing.sortedNames(in: folder) {
            if name.utf8.ends(with: "/") {
                if try holdsObject("\(folder)/d.\(name)") { return true }
            } else if (try? layout.manifest(inFolder: "\(folder)/o.\(name)")) != nil {
                return true
            }
        }
        return false
    }

    /// The names of a folder's objects, and of its folders with a `/` behind them; none when it was removed.
    static func sortedNames(in folder: String) throws(FileFault) -> [String] {
        do throws(FileFault) {
            return try Files.names(in: folder).compactMap { name in
                // By bytes: as a `Character`, the point may be one with a mark that follows it.
                let rest = String(decoding: name.utf8.dropFirst(2), as: UTF8.self)
                if name.utf8.starts(with: "o.".utf8) { return rest }
                return name.utf8.starts(with: "d.".utf8) ? rest + "/" : nil
            }.sorted(by: ObjectKey.precedes)
        } catch {
            if error.code == ENOENT { return [] }
            throw error
        }
    }
}

extension String.UTF8View {
    /// Whether the last byte is this one.
    fileprivate func ends(with byte: Unicode.Scalar) -> Bool { last == UInt8(ascii: byte) }
}
