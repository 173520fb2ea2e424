/// The answer to one request that was sent.
struct PendingReply: Sendable {
    private let shot = OneShot<Result<SFTPReply, SFTPFault>>()

    /// Whether the answer has come.
    var isSettled: Bool { shot.current != nil }

    /// Hands the answer to who waits.
    /// - Returns: false when nobody wants it any more.
    @discardableResult
    func resolve(_ result: Result<SFTPReply, SFTPFault>) -> Bool { shot.resolve(result) }

    /// Waits for the answer; when the task is cancelled, the answer is given up.
    func reply() async throws(SFTPFault) -> SFTPReply {
        if let settled = shot.current { return try settled.get() }
        let result = await withTaskCancellationHandler {
            await shot.value()
        } onCancel: {
            shot.resolve(.failure(.cancelled))
        }
        return try result.get()
    }

    /// Waits for the answer, cancelled or not; the channel's idle limit ends the wait.
    func settled() async throws(SFTPFault) -> SFTPReply { try await shot.value().get() }
}

extension SFTPReply {
    /// Checks that the server did what was asked.
    func requireOK() throws(SFTPFault) {
        guard case .status(let status, let message) = self else { throw .unexpected("no status") }
        guard status == .ok else { throw .status(status, message: message) }
    }

    /// The handle of what was opened.
    func requireHandle() throws(SFTPFault) -> SFTPHandle {
        if case .handle(let handle) = self { return handle }
        throw fault("no handle")
    }

    /// The attributes that were asked for.
    func requireAttributes() throws(SFTPFault) -> SFTPAttributes {
        if case .attributes(let attributes) = self { return attributes }
        throw fault("no attributes")
    }

    /// The bytes that were read; nil at the end of the file.
    func requireData() throws(SFTPFault) -> ArraySlice<UInt8>? {
        switch self {
        case .data(let bytes): return bytes
        case .status(.endOfFile, _): return nil
        default: throw fault("no data")
        }
    }

    /// The next names of a folder; nil at its end.
    func requireNames() throws(SFTPFault) -> [SFTPName]? {
        switch self {
        case .names(let names): return names
        case .status(.endOfFile, _): return nil
        default: throw fault("no names")
        }
    }

    /// The body of an extension's reply.
    func requireExtended() throws(SFTPFault) -> ArraySlice<UInt8> {
        if case .extended(let bytes) = self { return bytes }
        throw fault("no extended reply")
    }

    private func fault(_ missing: String) -> SFTPFault {
        guard case .status(let status, let message) = self, status != .ok else { return .unexpected(missing) }
        return .status(status, message: message)
    }
}
