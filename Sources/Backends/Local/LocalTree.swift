import Glibc
import Synchronization

/// The folders of a target, opened step by step so that no symbolic link below the root is followed.
final class LocalTree: Sendable {
    /// How often a folder is made again that somebody else removes at the same time.
    private static let attemptLimit = 100
    /// How many folders are remembered as durable.
    private static let durableLimit = 1024
    /// What open(2) and fsync(2) say of a folder that others look after.
    private static let unsyncable: Set<Int32> = [EACCES, EPERM, EINVAL, EROFS]

    /// The root, without a `/` at its end.
    let path: String
    /// The identity of folders, by the bytes of their paths, whose own names are known to be on the disk.
    private let durable = Mutex<[[UInt8]: [UInt64]]>([:])
    /// The identity of the root, if this process made it.
    private let madeRoot = Mutex<[UInt64]?>(nil)

    /// Makes the tree below an absolute path.
    init(path: String) {
        let trimmed = path.utf8.reversed().drop { $0 == UInt8(ascii: "/") }.reversed()
        self.path = trimmed.isEmpty ? "/" : String(decoding: trimmed, as: UTF8.self)
    }

    /// The folder that the root lies in.
    var parentPath: String {
        let above = path.utf8.lastIndex(of: UInt8(ascii: "/")).flatMap { String(path.utf8[..<$0]) } ?? ""
        return above.isEmpty ? "/" : above
    }

    /// Opens the root.
    /// - Throws: a fault with `concernsRoot`; but when the root is absent, one that `isMissing`.
    func openRoot() throws(SystemFault) -> Descriptor {
        do throws(SystemFault) {
            return try Descriptor.folder(atPath: path)
        } catch {
            throw error.code == ENOENT ? error : error.ofRoot
        }
    }

    /// Opens a folder.
    func openFolder(_ components: some Collection<Substring>) throws(SystemFault) -> Descriptor {
        var folder = try openRoot()
        for component in components { folder = try folder.folder(component) }
        return folder
    }

    /// Opens a folder and makes it, and those above it, where they are absent; then calls `body`, which may find that the
    /// folder was removed as empty meanwhile, and is then called with a new one.
    func withNewFolder<Result: ~Copyable>(
        _ components: some Collection<Substring>,
        _ body: (borrowing Descriptor) throws(SystemFault) -> Result
    ) throws(SystemFault) -> Result {
        var attempt = 1
        while true {
            do throws(SystemFault) {
                return try body(try makeFolder(components))
            } catch {
                guard error.code == ENOENT, !error.concernsRoot, attempt < LocalTree.attemptLimit else { throw error }
                attempt += 1
            }
        }
    }

    /// Makes sure that a folder itself survives a power cut: the names of it and of all above it are on the disk.
    ///
    /// It is remembered, so that the next object in the folder costs nothing; a folder made anew has another identity, or
    /// was made by `makeFolder`, which forgets it.
    func makeDurable(_ components: some Collection<Substring>, _ folder: borrowing Descriptor) throws(SystemFault) {
        let name = LocalTree.bytes(of: components)
        let identity = try folder.look().identity
        if durable.withLock({ $0[name] }) == identity { return }
        var above = try openRoot()
        try makeRootDurable(above.look().identity)
        if !components.isEmpty { try above.sync() }
        for component in components.dropLast() {
            above = try above.folder(component)
            try above.sync()
        }
        note(durable: name, identity)
    }

    /// Makes sure that the root's own name is on the disk.
    ///
    /// Whoever made the root beforehand may have done so in a folder that this process cannot read, or that cannot be synced,
    /// such as an automounter's: then its name is that person's business.
    private func makeRootDurable(_ identity: [UInt64]) throws(SystemFault) {
        let name = LocalTree.bytes(of: [])
        if durable.withLock({ $0[name] }) == identity { return }
        do throws(SystemFault) {
            try Descriptor.folder(atPath: parentPath).sync()
        } catch {
            let isOwn = madeRoot.withLock { $0 } == identity
            guard !isOwn, LocalTree.unsyncable.contains(error.code) else { throw error.ofRoot }
        }
        note(durable: name, identity)
    }

    private func note(durable name: [UInt8], _ identity: [UInt64]) {
        durable.withLock { durable in
            if durable.count >= LocalTree.durableLimit { durable = [:] }
            durable[name] = identity
        }
    }

    /// Removes a folder if it is empty, then those above it that are empty then, but not the root.
    func removeEmptyFolders(_ components: some BidirectionalCollection<Substring>) {
        var rest = Array(components)
        while let name = rest.popLast() {
            // A folder that is not empty, or that somebody else removed or uses, is none of our business.
            guard let above = try? openFolder(rest), (try? above.removeFolder(name)) != nil else { return }
        }
    }

    /// Whether a walk may go on without what could not be opened: it was removed since its folder was read, or became a
    /// link, or is the folder that a file system keeps for its own repairs (mke2fs(8)).
    static func maySkip(_ position: String, after fault: SystemFault) -> Bool {
        fault.isMissing || fault.code == ELOOP || (fault.code == EACCES && position == "lost+found/")
    }

    /// A path as bytes, because strings that only look the same are one key of a dictionary.
    private static func bytes(of components: some Collection<Substring>) -> [UInt8] {
        Array(components.joined(separator: "/").utf8)
    }

    private func makeFolder(_ components: some Collection<Substring>) throws(SystemFault) -> Descriptor {
        var folder = try makeRoot()
        var isNew = false
        for component in components {
            do throws(SystemFault) {
                folder = try folder.folder(component)
            } catch {
                guard error.code == ENOENT else { throw error }
                if try folder.makeFolder(component) { isNew = true }
                folder = try folder.folder(component)
            }
        }
        if isNew { durable.withLock { _ = $0.removeValue(forKey: LocalTree.bytes(of: components)) } }
        return folder
    }

    private func makeRoot() throws(SystemFault) -> Descriptor {
        do throws(SystemFault) {
            return try openRoot()
        } catch {
            guard error.code == ENOENT else { throw error }
        }
        var isNew = true
        do throws(SystemFault) {
            // Sound: the string lives for the length of the call.
            try uninterrupted { unsafe mkdir(path, 0o700) }
        } catch {
            guard error.code == EEXIST else { throw error.ofRoot }
            isNew = false
        }
        do throws(SystemFault) {
            let root = try openRoot()
            if isNew {
                let identity = try root.look().identity
                madeRoot.withLock { $0 = identity }
                durable.withLock { _ = $0.removeValue(forKey: LocalTree.bytes(of: [])) }
            }
            return root
        } catch {
            throw error.ofRoot
        }
    }
}
