internal import BackupAPI

/// Writes an object to a temporary beside its place, with several requests on their way, and puts it in its place as a whole.
///
/// `@unchecked Sendable`: one task at a time uses a driver (contract of `UploadDriver`).
final class SSHSink: UploadDriver, @unchecked Sendable {
    /// Most bytes sent and not yet acknowledged.
    static let windowByteCount = 4 << 20

    private let backend: SSHBackend
    private let lease: ChannelLease
    private let key: ObjectKey
    private let isCreateOnly: Bool
    private let temporary: String
    private let handle: SFTPHandle
    private var packet: SFTPWritePacket
    private var offset: UInt64 = 0
    private var unacknowledged: [(answer: PendingReply, count: Int)] = []
    private var unacknowledgedByteCount = 0
    private var isHandleOpen = true
    private var isFinished = false

    init(
        backend: SSHBackend, lease: ChannelLease, key: ObjectKey, isCreateOnly: Bool, temporary: String,
        handle: SFTPHandle
    ) {
        self.backend = backend
        self.lease = lease
        self.key = key
        self.isCreateOnly = isCreateOnly
        self.temporary = temporary
        self.handle = handle
        packet = SFTPWritePacket(handle: handle, offset: 0, limit: lease.features.writeByteCount)
    }

    func write(_ bytes: RawSpan) async throws(StorageError) {
        var taken = 0
        while taken < bytes.byteCount {
            // Sound: the pointer is used within the call only.
            taken += unsafe bytes.withUnsafeBytes {
                unsafe packet.fill(from: UnsafeRawBufferPointer(rebasing: $0[taken...]))
            }
            guard packet.byteCount == packet.limit else { continue }
            do throws(SFTPFault) {
                try await sendPacket()
            } catch {
                throw await translate(error, .write)
            }
        }
    }

    func commit() async throws(StorageError) {
        do throws(SFTPFault) {
            try await finishFile()
            if Task.isCancelled { throw .cancelled }
            // From here on, nothing is given up half-way.
            if isCreateOnly { try await create() } else { try await replace() }
        } catch {
            let error = await translate(error, .commit)
            await discard()
            throw error
        }
        isFinished = true
        backend.places.forget(temporary)
        guard backend.canSyncFolders else { return }
        do throws(SFTPFault) {
            try await lease.sync(folder: temporary.beforeLastSlash)
        } catch {
            throw await translate(error, .commit)
        }
    }

    func abort() async {
        guard !isFinished else { return }
        await discard()
    }

    // MARK: Bytes

    private func sendPacket() async throws(SFTPFault) {
        guard packet.byteCount > 0 else { return }
        let count = packet.byteCount
        let full = packet
        offset += UInt64(count)
        packet = SFTPWritePacket(handle: handle, offset: offset, limit: lease.features.writeByteCount)
        unacknowledged.append((lease.channel.send(full.finished()), count))
        unacknowledgedByteCount += count
        try await settle(downTo: SSHSink.windowByteCount)
    }

    /// Takes acknowledgements that have come, and waits for more while too many bytes are on their way.
    private func settle(downTo limit: Int) async throws(SFTPFault) {
        while let first = unacknowledged.first, first.answer.isSettled || unacknowledgedByteCount > limit {
            try await first.answer.reply().requireOK()
            unacknowledged.removeFirst()
            unacknowledgedByteCount -= first.count
        }
    }

    /// Sends what is left, and makes the file whole and durable under its temporary name.
    private func finishFile() async throws(SFTPFault) {
        try await sendPacket()
        try await settle(downTo: 0)
        if lease.features.has(.fsync) {
            try await lease.channel.send(.fsync(handle)).reply().requireOK()
        }
        isHandleOpen = false
        try await lease.channel.send(.close(handle)).reply().requireOK()
    }

    // MARK: The place

    private func replace() async throws(SFTPFault) {
        let place = backend.path(of: key)
        if lease.features.has(.posixRename) {
            return try await answer(to: .posixRename(from: temporary, to: place)).requireOK()
        }
        // This rename refuses a name that is taken (draft-ietf-secsh-filexfer-02, section 6.5).
        if case .status(.ok, _) = try await answer(to: .rename(from: temporary, to: place)) { return }
        _ = try await answer(to: .remove(place))
        try await answer(to: .rename(from: temporary, to: place)).requireOK()
    }

    /// Gives the file its name only if nobody has it: a hard link is never made over another file (link(2)).
    private func create() async throws(SFTPFault) {
        let place = backend.path(of: key)
        let canLink = lease.features.has(.hardLink)
        let request: SFTPRequest =
            canLink ? .hardLink(from: temporary, to: place) : .rename(from: temporary, to: place)
        // A second attempt is for a file that was in the way and is gone when we look.
        for _ in 0..<2 {
            if case .status(.ok, _) = try await answer(to: request) {
                if canLink { _ = try? await answer(to: .remove(temporary)) }
                return
            }
            let found = try await answer(to: .lstat(place))
            if case .attributes = found { throw .refused(.alreadyExists, detail: nil, remedy: nil) }
        }
        throw .refused(
            .unsupported, detail: "the server's file system makes no hard links",
            remedy: "Choose a folder on a file system with hard links, such as ext4 or xfs.")
    }

    /// Sends a request and waits for its answer, cancelled or not.
    private func answer(to request: SFTPRequest) async throws(SFTPFault) -> SFTPReply {
        try await lease.channel.send(request).settled()
    }

    // MARK: The end

    /// Removes the temporary; what cannot be removed now is left to `sweepUnfinished`.
    private func discard() async {
        isFinished = true
        unacknowledged = []
        if isHandleOpen { lease.channel.send(.close(handle)) }
        isHandleOpen = false
        switch try? await answer(to: .remove(temporary)) {
        case .status(.ok, _), .status(.noSuchFile, _):
            backend.places.forget(temporary)
            await backend.removeEmptyFolders(of: CollectionOfOne(key), on: lease)
        default: backend.places.abandon(temporary)
        }
    }

    private func translate(
        _ fault: SFTPFault, _ operation: StorageError.Operation
    ) async -> StorageError {
        await backend.lookCloser(
            SSHErrors.error(fault, operation: operation, key: key, target: backend.displayName), on: lease)
    }

    /// A dropped upload is an aborted one; nobody waits for the server's answer.
    deinit {
        guard !isFinished else { return }
        if isHandleOpen { lease.channel.send(.close(handle)) }
        lease.channel.send(.remove(temporary))
        backend.places.abandon(temporary)
    }
}
