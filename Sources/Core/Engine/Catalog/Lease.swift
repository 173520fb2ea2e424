package import BackupAPI
import Synchronization

/// Who works on something, so that two runs do not get into each other's way (docs/FORMAT.md, "Leases").
///
/// A lease is a numbered series of objects, each created only if absent: the highest number is the holder. To take over an
/// expired one means to create the next number, which only one of several takers can do.
package struct Lease: Sendable {
    /// What a lease's object says.
    package struct Holder: Sendable, Codable {
        package var host: String
        package var process: Int32
        package var operation: String
        /// Seconds since 1970.
        package var expiresAt: Int
    }

    /// How long a lease is good without renewal.
    package static let lifetimeInSeconds = 120

    private let backend: any StorageBackend
    private let prefix: String
    private let generation: Int
    private let holder: Holder
    private let clock: @Sendable () -> Int

    /// Takes a lease.
    ///
    /// - Parameters:
    ///   - operation: what it is for, part of its name, such as `backup`.
    ///   - holder: who takes it; its `expiresAt` is set here.
    ///   - clock: seconds since 1970.
    /// - Throws: `.busy` with the holder's name while somebody else has it.
    package static func take(
        backend: any StorageBackend, server: String, operation: String, holder: Holder,
        clock: @escaping @Sendable () -> Int
    ) async throws -> Lease {
        let prefix = Layout.leasePrefix(server, operation)
        let (newest, current) = try await newestGeneration(backend, prefix)
        if let current, current.expiresAt > clock() {
            throw EngineError(
                .busy,
                "\(current.operation) of '\(server)' by process \(current.process) on \(current.host), "
                    + "until \(CalendarTime(secondsSince1970: current.expiresAt).compact) UTC at the latest")
        }
        let lease = Lease(
            backend: backend, prefix: prefix, generation: newest + 1, holder: holder, clock: clock)
        guard try await backend.create(lease.key(newest + 1), bytes: lease.bytes()) else {
            throw EngineError(.busy, "\(operation) of '\(server)': another run was faster")
        }
        return lease
    }

    /// Runs `body` while renewing the lease, and gives it back afterwards.
    /// - Throws: what `body` throws; `.busy` when somebody took the lease over, after `body` was cancelled.
    package func hold<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        let outcome: Swift.Result<Result, any Error> = await withTaskGroup(of: Swift.Result<Result, any Error>?.self) {
            group in
            group.addTask {
                do { return .success(try await body()) } catch { return .failure(error) }
            }
            group.addTask {
                do {
                    try await renewUntilCancelled()
                    return nil
                } catch {
                    return .failure(error)
                }
            }
            var first: Swift.Result<Result, any Error>?
            for await ended in group {
                if let ended, first == nil { first = ended }
                group.cancelAll()
            }
            return first ?? .failure(CancellationError())
        }
        await release()
        return try outcome.get()
    }

    /// Deletes the lease's object. It does not throw: what cannot be deleted expires.
    package func release() async {
        if let key = try? key(generation) { _ = try? await backend.delete([key]) }
    }

    private func renewUntilCancelled() async throws {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .seconds(Lease.lifetimeInSeconds / 4))
            } catch {
                return
            }
            let (newest, _) = try await Lease.newestGeneration(backend, prefix)
            guard newest <= generation else { throw EngineError(.busy, "another run took '\(prefix)' over") }
            do {
                let bytes = try bytes()
                try await backend.put(key(generation), bytes: bytes)
            } catch {
                // When the place does not answer now, the next renewal still comes long before the lease expires.
                guard let fault = error as? StorageError, fault.retry != .never else { throw error }
            }
        }
    }

    private func bytes() throws -> [UInt8] {
        var holder = holder
        holder.expiresAt = clock() + Lease.lifetimeInSeconds
        return try CanonicalJSON.encode(holder)
    }

    private func key(_ generation: Int) throws(StorageError) -> ObjectKey {
        let digits = String(generation)
        return try ObjectKey(prefix + String(repeating: "0", count: max(0, 9 - digits.utf8.count)) + digits + ".json")
    }

    private static func newestGeneration(
        _ backend: any StorageBackend, _ prefix: String
    ) async throws -> (Int, Holder?) {
        var newest: ObjectKey?
        try await backend.forEachEntry(ListRequest(prefix: prefix)) { entry in
            if case .object(let info) = entry { newest = info.key }
        }
        guard let newest, let number = Int(newest.name.prefix(9)) else { return (0, nil) }
        guard let bytes = try await backend.readIfPresent(newest, limit: 65_536) else { return (number, nil) }
        return (number, try? CanonicalJSON.decode(Holder.self, from: bytes))
    }
}
