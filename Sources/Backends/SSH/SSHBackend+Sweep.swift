package import BackupAPI

extension SSHBackend {
    /// Age in seconds from which on a temporary belongs to nobody: one day. A live upload changes its file all the time.
    private static let abandonedAge: UInt32 = 86_400

    package func sweepUnfinished(prefix: String) async throws(StorageError) -> Int {
        try await calls(.delete) { lease throws(SFTPFault) in
            var now: UInt32?
            return try await sweep("", prefix: prefix, now: &now, on: lease)
        }
    }

    /// Sweeps a folder and those in it; `folder` is empty or ends in `/`.
    private func sweep(
        _ folder: String, prefix: String, now: inout UInt32?, on lease: ChannelLease
    ) async throws(SFTPFault) -> Int {
        var count = 0
        let base = folder.isEmpty ? root : root + "/" + folder.beforeLastSlash
        for name in try await lease.names(in: base.isEmpty ? "/" : base) {
            guard let text = String(validating: name.bytes, as: UTF8.self) else { continue }
            let position = folder + text
            switch name.attributes.kind {
            case .folder:
                let inner = position + "/"
                guard inner.utf8.starts(with: prefix.utf8) || prefix.utf8.starts(with: inner.utf8) else { continue }
                do throws(SFTPFault) {
                    count += try await sweep(inner, prefix: prefix, now: &now, on: lease)
                } catch {
                    // What this user may not enter is somebody else's to sweep.
                    guard case .status(.permissionDenied, _) = error else { throw error }
                }
            case .regular:
                guard text.utf8.starts(with: ObjectKey.temporaryPrefix.utf8) else { continue }
                // A temporary's folder tells whose it is: the name itself is random.
                let isBase = folder.utf8.elementsEqual(prefix.throughLastSlash.utf8)
                guard isBase || folder.utf8.starts(with: prefix.utf8) else { continue }
                if try await removeIfUnused("\(base)/\(text)", name.attributes, now: &now, on: lease) { count += 1 }
            case .other, .unknown: continue
            }
        }
        return count
    }

    private func removeIfUnused(
        _ path: String, _ attributes: SFTPAttributes, now: inout UInt32?, on lease: ChannelLease
    ) async throws(SFTPFault) -> Bool {
        guard !places.isLive(path) else { return false }
        if !places.isAbandoned(path) {
            if now == nil { now = try await serverTime(in: path.beforeLastSlash, on: lease) }
            guard let now, let changed = attributes.modificationTime, now >= changed else { return false }
            guard now - changed >= SSHBackend.abandonedAge else { return false }
        }
        guard case .status(.ok, _) = try await lease.channel.send(.remove(path)).reply() else { return false }
        places.forget(path)
        return true
    }

    /// The server's clock, as the time of a file that is made for this and removed again: ours may differ.
    func serverTime(in folder: String, on lease: ChannelLease) async throws(SFTPFault) -> UInt32? {
        let channel = lease.channel
        let path = places.make(in: folder)
        defer { places.forget(path) }
        let request = SFTPRequest.open(path, [.write, .create, .exclusive], permissions: 0o600)
        let handle: SFTPHandle
        do throws(SFTPFault) {
            handle = try await channel.send(request).reply().requireHandle()
        } catch {
            // The server may have made it.
            channel.send(.remove(path))
            throw error
        }
        let answer = channel.send(.fstat(handle))
        channel.send(.close(handle))
        // Waited for, because a connection that is closed next would leave the file there.
        _ = try? await channel.send(.remove(path)).settled()
        return try await answer.reply().requireAttributes().modificationTime
    }
}
