import BackupAPI
import Glibc

/// Collects one page of a listing by walking folders in the byte order of whole keys.
///
/// Only folders that can hold keys of the page are read. In memory are the names of the folders on the way down, and one
/// page. `a.b` sorts before `a/b`, and so a folder takes its place among files by its name with a `/` behind it.
struct LocalListing {
    private let request: ListRequest
    private var entries: [ListEntry] = []

    /// Begins a page.
    init(_ request: ListRequest) { self.request = request }

    /// Collects the page.
    mutating func page(in tree: LocalTree) throws(SystemFault) -> ListPage {
        guard let start = LocalPrefix(request.prefix) else { return ListPage(entries: [], hasMore: false) }
        do throws(SystemFault) {
            try visit(try tree.openFolder(start.components), path: start.path, namePrefix: start.rest)
        } catch {
            guard error.isMissing else { throw error }
        }
        // One entry more than the page has room for was looked for, to know whether there is one.
        return ListPage(entries: Array(entries.prefix(limit)), hasMore: entries.count > limit)
    }

    private var limit: Int { min(1000, max(1, request.limit)) }

    private var isFull: Bool { entries.count > limit }

    /// Takes the entries of a folder.
    /// - Parameters:
    ///   - path: of the folder, with a `/` at its end; empty for the root.
    ///   - namePrefix: only names that begin like this.
    private mutating func visit(
        _ folder: borrowing Descriptor, path: String, namePrefix: String = ""
    ) throws(SystemFault) {
        var found = try folder.entries { entry in
            entry.sortName.utf8.starts(with: namePrefix.utf8) && mayHoldWanted(path + entry.sortName)
        }
        found.sort { ObjectKey.precedes($0.sortName, $1.sortName) }
        for entry in found where !isFull {
            do throws(SystemFault) {
                try take(entry, of: folder, path: path)
            } catch {
                guard LocalTree.maySkip(path + entry.sortName, after: error) else { throw error }
            }
        }
    }

    private mutating func take(_ entry: FolderEntry, of folder: borrowing Descriptor, path: String) throws(SystemFault)
    {
        let position = path + entry.sortName
        guard entry.isFolder else {
            let status = try folder.look(at: entry.name)
            // Temporaries, and what others put there under impossible names, are no objects.
            guard status.kind == .file, let key = try? ObjectKey(position) else { return }
            entries.append(.object(ObjectInfo(key: key, byteCount: status.byteCount)))
            return
        }
        guard request.isShallow else { return try visit(try folder.folder(entry.name), path: position) }
        if try LocalListing.mayHoldObject(entry.name, of: folder, path: position) { entries.append(.folder(position)) }
    }

    /// Whether a position, or for a folder a key below it, sorts behind `after`.
    private func mayHoldWanted(_ position: String) -> Bool {
        guard let after = request.after else { return true }
        if ObjectKey.precedes(after, position) { return true }
        return !request.isShallow && position.utf8.last == UInt8(ascii: "/") && after.utf8.starts(with: position.utf8)
    }

    /// Whether there is an object in a folder or below it. One that may not be entered counts: it is there, and who asks for
    /// an object in it is told why it cannot be had.
    private static func mayHoldObject(
        _ name: String, of folder: borrowing Descriptor, path: String
    ) throws(SystemFault) -> Bool {
        do throws(SystemFault) {
            return try holdsObject(try folder.folder(name), path: path)
        } catch {
            guard error.code == EACCES, !LocalTree.maySkip(path, after: error) else { throw error }
            return true
        }
    }

    /// Whether there is an object in a folder or below it.
    private static func holdsObject(_ folder: borrowing Descriptor, path: String) throws(SystemFault) -> Bool {
        let found = try folder.entries { $0.isFolder || (try? ObjectKey(path + $0.name)) != nil }
        if found.contains(where: { !$0.isFolder }) { return true }
        for entry in found {
            do throws(SystemFault) {
                let inner = try folder.folder(entry.name)
                if try holdsObject(inner, path: path + entry.sortName) { return true }
            } catch {
                guard LocalTree.maySkip(path + entry.sortName, after: error) else { throw error }
            }
        }
        return false
    }
}

/// The prefix of a listing, cut into the folder to start at and the beginning of names in it.
struct LocalPrefix {
    /// The folder's components.
    let components: [Substring]
    /// The folder with a `/` at its end; empty for the root.
    let path: String
    /// What names in the folder begin with.
    let rest: String

    /// Cuts a prefix; nil when no key can begin like this, as with `..`, which must not lead out of the root.
    init?(_ prefix: String) {
        let utf8 = prefix.utf8
        guard let slash = utf8.lastIndex(of: UInt8(ascii: "/")) else {
            (components, path, rest) = ([], "", prefix)
            return
        }
        guard let folder = String(utf8[..<slash]), let key = try? ObjectKey(folder) else { return nil }
        components = key.components
        path = folder + "/"
        rest = String(decoding: utf8[utf8.index(after: slash)...], as: UTF8.self)
    }
}
