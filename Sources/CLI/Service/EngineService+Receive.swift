import BackupAPI
import BackupEngine

extension EngineService {
    func receiveWAL(_ request: WALReceiveRequest, progress: ReceiverProgress) async throws {
        let server = request.server
        guard let slot = server.walSlot else {
            throw UsageError("server [\(server.name)] has no 'wal_slot'", remedy: "Set wal_slot in [\(server.name)].")
        }
        let inbox = try WALInbox(folder: "\(request.spool)/\(server.name)")
        defer { inbox.release() }
        let limits = WALInboxLimits(byteCount: request.spoolByteLimit > 0 ? request.spoolByteLimit : nil)
        let plan = WALReceivingPlan(
            server: server.name, connection: try connection(server), slot: slot, createsSlot: server.createsSlot,
            limits: limits)
        let receiving = WALReceiving(plan: plan, inbox: inbox, progress: progress)
        let upload = WALUpload(server: server.name, inbox: inbox, limits: limits, progress: progress) { path in
            try await store(WALPushRequest(server: server, targets: request.targets, path: path))
        }
        await withTaskExecutorPreference(pool) {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await receiving.run() }
                group.addTask { await upload.run() }
                await group.next()
                group.cancelAll()
            }
        }
    }

    /// Stores a file on every target.
    /// - Throws: the failure of one that does not have it.
    private func store(_ request: WALPushRequest) async throws {
        // Each file has targets of its own, so that a connection that died while nothing came is no fault.
        let answer = try await EngineService(session: session, configuration: configuration, options: options)
            .pushWAL(request)
        guard let failed = answer.targets.first(where: { $0.status == .failed }) else { return }
        throw CommandError(
            .someTargetsFailed, "\(failed.target) does not have it: \(failed.error ?? "")",
            remedy: "Correct the target.")
    }
}
