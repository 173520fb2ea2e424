import BackupAPI

/// Brings runs of stored frames from a backend into memory; several may run at once.
struct FrameFetch: Sendable {
    /// Neighbouring frames of one volume, to be fetched with one reading.
    struct Reading: Sendable {
        /// Which part of the walk they belong to.
        let part: Int
        let plan: ArchivePlan
        let chain: CodecChain
        let run: ArchivePlan.Run
    }

    /// A frame as it is stored.
    struct Fetched: Sendable {
        let part: Int
        let plan: ArchivePlan
        let number: Int
        let frame: Frame
    }

    /// Frames that nobody needs; a reading waits for one.
    let free = Mailbox<Frame>()
    let fetched = Mailbox<Fetched>()
    private let backend: any StorageBackend
    private let damaged: @Sendable (EngineError) throws -> Void

    /// - Parameter damaged: called for what is not as it was stored; when it returns, only that run is given up.
    init(backend: any StorageBackend, damaged: @escaping @Sendable (EngineError) throws -> Void) {
        self.backend = backend
        self.damaged = damaged
    }

    /// Fetches one run.
    func run(_ reading: Reading) async throws {
        let plan = reading.plan
        do {
            try await fetch(reading)
        } catch let error as EngineError where error.reason == .objectDamaged {
            try damaged(error.about(plan.record.label))
        } catch let error as CodecError {
            let words = "'\(plan.path(volume: reading.run.volume))' of \(plan.record.label): \(error)"
            try damaged(EngineError(.objectDamaged, words))
        } catch let fault as StorageError {
            let path = plan.path(volume: reading.run.volume)
            guard let damage = EngineError(damageOf: path, of: plan.record.label, fault) else { throw fault }
            try damaged(damage)
        }
    }

    private func fetch(_ reading: Reading) async throws {
        let (plan, run) = (reading.plan, reading.run)
        let path = plan.path(volume: run.volume)
        let key = try plan.key(volume: run.volume)
        var header: [UInt8] = []
        let isFromStart = run.frames.lowerBound % plan.record.frames.framesPerVolume == 0
        if plan.archive.headerByteCount > 0, !isFromStart {
            header = try await backend.read(
                key, range: ByteRange(offset: 0, count: plan.archive.headerByteCount), limit: 1 << 20)
        }
        let start = isFromStart ? 0 : plan.offset(of: run.frames.lowerBound)
        let end = plan.offset(of: run.frames.upperBound - 1) + plan.byteCount(of: run.frames.upperBound - 1)
        let isWhole = isFromStart && plan.isLastOfVolume(run.frames.upperBound - 1)
        if isWhole { try await requireSize(end, of: key, path: path) }
        let reader = try await backend.openRead(
            key, range: isWhole ? nil : ByteRange(offset: start, count: end - start))
        do {
            if isFromStart, plan.archive.headerByteCount > 0 {
                let buffer = FrameBuffer(capacity: plan.archive.headerByteCount)
                try await buffer.fillUp(to: plan.archive.headerByteCount, from: reader, path: path)
                header = buffer.bytes
            }
            let object = try reading.chain.openObject(plan.identity(volume: run.volume), header: header)
            for number in run.frames {
                guard let frame = try await free.next() else { throw CancellationError() }
                frame.stored.clear()
                frame.object = object
                frame.position = plan.position(of: number)
                do {
                    try await frame.stored.fillUp(to: plan.byteCount(of: number), from: reader, path: path)
                } catch {
                    free.send(frame)
                    throw error
                }
                fetched.send(Fetched(part: reading.part, plan: plan, number: number, frame: frame))
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
    }

    private func requireSize(_ expected: Int, of key: ObjectKey, path: String) async throws {
        let found = try await backend.stat(key).byteCount
        guard found == expected else {
            throw EngineError(.objectDamaged, "'\(path)' has \(found) bytes, the backup wrote \(expected)")
        }
    }
}
