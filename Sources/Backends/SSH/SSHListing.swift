package import BackupAPI

/// One page of a listing: walks folders in the order of whole keys, and reads only those that can hold a wanted key.
///
/// Within a folder, a file sorts by its name and a folder by its name with `/` behind it; so `a.b` comes before what is in
/// `a`, and the walk is in byte order of the keys without ever sorting more than one folder at a time.
struct SSHListing {
    /// Something in a folder that is an object or may hold objects.
    private struct Item {
        /// The key, or the folder's path with `/` at its end.
        let position: String
        /// nil for a folder.
        let info: ObjectInfo?
    }

    private let lease: ChannelLease
    private let root: String
    private let request: ListRequest
    private var entries: [ListEntry] = []

    /// Prepares a page.
    init(_ request: ListRequest, root: String, lease: ChannelLease) {
        self.request = request
        self.root = root
        self.lease = lease
    }

    /// Reads the page.
    mutating func page() async throws(SFTPFault) -> ListPage {
        let base = request.prefix.throughLastSlash
        if try await isReachable(base) { try await walk(base) }
        let hasMore = entries.count > request.limit
        return ListPage(entries: Array(entries.prefix(request.limit)), hasMore: hasMore)
    }

    /// One more than a page is looked for, so that `hasMore` is known.
    private var isFull: Bool { entries.count > request.limit }

    private mutating func walk(_ folder: String) async throws(SFTPFault) {
        for item in try await items(in: folder) {
            if isFull { return }
            guard let info = item.info else {
                try await visit(item.position)
                continue
            }
            guard item.position.utf8.starts(with: request.prefix.utf8), isBehindStart(item.position) else { continue }
            entries.append(.object(info))
        }
    }

    private mutating func visit(_ folder: String) async throws(SFTPFault) {
        let isInside = folder.utf8.starts(with: request.prefix.utf8)
        guard isInside || request.prefix.utf8.starts(with: folder.utf8) else { return }
        guard request.isShallow, folder.utf8.count > request.prefix.utf8.count, isInside else {
            // Everything in the folder sorts as the folder does, unless the start lies within it.
            guard isBehindStart(folder) || (request.after ?? "").utf8.starts(with: folder.utf8) else { return }
            return try await walk(folder)
        }
        if isBehindStart(folder), try await mayHoldObject(folder) { entries.append(.folder(folder)) }
    }

    private func isBehindStart(_ position: String) -> Bool {
        guard let after = request.after else { return true }
        return ObjectKey.precedes(after, position)
    }

    /// Whether there is an object somewhere below a folder. One that may not be entered counts: it is there, and who asks for
    /// an object in it is told why it cannot be had.
    private func mayHoldObject(_ folder: String) async throws(SFTPFault) -> Bool {
        do throws(SFTPFault) {
            return try await holdsObject(folder)
        } catch {
            guard case .status(.permissionDenied, _) = error else { throw error }
            return true
        }
    }

    /// Whether there is an object somewhere below a folder.
    private func holdsObject(_ folder: String) async throws(SFTPFault) -> Bool {
        let items = try await items(in: folder)
        if items.contains(where: { $0.info != nil }) { return true }
        for item in items where try await holdsObject(item.position) { return true }
        return false
    }

    /// Whether a folder is reached without following a link below the root.
    private func isReachable(_ folder: String) async throws(SFTPFault) -> Bool {
        var path = root
        var answers: [PendingReply] = []
        for component in folder.slashedParts {
            path += "/" + component
            answers.append(lease.channel.send(.lstat(path)))
        }
        for answer in answers {
            guard let found = try await SSHBackend.attributes(answer) else { return false }
            guard found.kind == .folder || found.kind == .unknown else { return false }
        }
        return true
    }

    /// The objects and folders in a folder, in order; none when the folder is gone.
    private func items(in folder: String) async throws(SFTPFault) -> [Item] {
        let path = folder.isEmpty ? root : root + "/" + folder.beforeLastSlash
        var items: [Item] = []
        for name in try await lease.names(in: path.isEmpty ? "/" : path) {
            guard let text = String(validating: name.bytes, as: UTF8.self), let key = try? ObjectKey(folder + text)
            else {
                continue
            }
            switch name.attributes.kind {
            case .regular:
                let info = ObjectInfo(key: key, byteCount: Int(clamping: name.attributes.byteCount ?? 0))
                items.append(Item(position: key.string, info: info))
            case .folder: items.append(Item(position: key.string + "/", info: nil))
            case .other, .unknown: continue
            }
        }
        return items.sorted { ObjectKey.precedes($0.position, $1.position) }
    }
}

extension ChannelLease {
    /// Requests for names that wait for their answer; OpenSSH's server gives about 100 names an answer.
    private static let nameRequests = 8

    /// All names in a folder, without `.` and `..`, each with what it is itself; none when the folder is gone.
    func names(in folder: String) async throws(SFTPFault) -> [SFTPName] {
        let handle: SFTPHandle
        do throws(SFTPFault) {
            handle = try await channel.send(.openFolder(folder)).reply().requireHandle()
        } catch {
            guard case .status(.noSuchFile, _) = error else { throw error }
            return []
        }
        defer { channel.send(.close(handle)) }
        var names: [SFTPName] = []
        var answers: [PendingReply] = []
        while true {
            while answers.count < ChannelLease.nameRequests { answers.append(channel.send(.readFolder(handle))) }
            guard let more = try await answers.removeFirst().reply().requireNames() else { break }
            names += more
        }
        let plain = names.filter { $0.bytes != [0x2E] && $0.bytes != [0x2E, 0x2E] && !$0.bytes.contains(0x2F) }
        return try await completing(plain, in: folder)
    }

    /// Asks again for those names of which the server did not tell what they are.
    private func completing(_ names: [SFTPName], in folder: String) async throws(SFTPFault) -> [SFTPName] {
        guard names.contains(where: { $0.attributes.kind == .unknown }) else { return names }
        var complete: [SFTPName] = []
        for name in names {
            guard name.attributes.kind == .unknown, let text = String(validating: name.bytes, as: UTF8.self) else {
                complete.append(name)
                continue
            }
            guard let found = try await SSHBackend.attributes(channel.send(.lstat("\(folder)/\(text)"))) else {
                continue
            }
            complete.append(SFTPName(bytes: name.bytes, attributes: found))
        }
        return complete
    }
}

extension SSHBackend {
    package func list(_ request: ListRequest) async throws(StorageError) -> ListPage {
        try await calls(.list) { lease throws(SFTPFault) in
            var listing = SSHListing(request, root: root, lease: lease)
            return try await listing.page()
        }
    }
}
