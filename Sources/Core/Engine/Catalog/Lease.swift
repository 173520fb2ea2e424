package import BackupAPI

/// Who works on something, so that two runs do not get into each other's way (docs/FORMAT.md, "Leases").
///
/// A lease is a numbered series of objects, each created only if absent: the highest number is the holder. To take over one
/// that is over means to create the next number, which only one of several takers can do. It is over when it has expired, or
/// when its process is known to be no more.
package struct Lease: Sendable {
    /// How long a lease is good without renewal.
    package static let lifetimeInSeconds = 120
    /// How many runs, one after another, may be faster than one that takes a free lease.
    private static let attemptLimit = 20

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
    ///   - mayBeAlive: whether another holder's process may still be there; true where nobody can tell.
    ///   - clock: seconds since 1970.
    /// - Throws: `.busy` with the holder's name while somebody else has it.
    package static func take(
        backend: any StorageBackend, server: String, operation: String, holder: Holder,
        mayBeAlive: @Sendable (Holder) -> Bool, clock: @escaping @Sendable () -> Int
    ) async throws -> Lease {
        let prefix = Layout.leasePrefix(server, operation)
        func requireNobody(_ generations: [Generation]) throws {
            let now = clock()
            for other in generations.compactMap(\.holder) where other.expiresAt > now && mayBeAlive(other) {
                var said = other.description(server: server)
                // Twice, as the clocks of two machines may be a little off.
                if other.expiresAt > now + 2 * lifetimeInSeconds {
                    said +=
                        ", though a lease lasts for \(lifetimeInSeconds) s: a clock is wrong. If there is no such process "
                    said += "any more, delete the objects '\(prefix)…' on \(backend.displayName)"
                }
                throw EngineError(.busy, said)
            }
        }

        func begin() async throws -> Lease? {
            let earlier = try await generations(backend, prefix)
            try requireNobody(earlier)
            let lease = Lease(
                backend: backend, prefix: prefix, generation: (earlier.last?.number ?? 0) + 1, holder: holder,
                clock: clock)
            return try await backend.create(lease.key(lease.generation), bytes: lease.bytes()) ? lease : nil
        }

        // Where another run was faster, the next look shows who; should it have ended already, the lease is free.
        var begun: Lease?
        for _ in 0..<attemptLimit where begun == nil { begun = try await begin() }
        guard let lease = begun else {
            throw EngineError(.busy, "\(operation) of '\(server)': \(attemptLimit) other runs were faster")
        }
        do {
            // Since the first look another run may have removed the old generations and begun at 1 again. Each of two such runs
            // looks after it created, so at least one of them sees the other.
            let others = try await generations(backend, prefix).filter { $0.number != lease.generation }
            try requireNobody(others)
            _ = try await backend.delete(others.map { try lease.key($0.number) })
        } catch {
            await lease.release()
            throw error
        }
        return lease
    }

    /// Runs `body` while renewing the lease, and gives it back afterwards.
    /// - Parameter whenLost: told once why the lease is not held any more; when it returns, `body` goes on without the lease.
    /// - Throws: what `body` throws; what `whenLost` throws, after `body` was cancelled: `.busy` where nothing else is said.
    package func hold<Result: Sendable>(
        whenLost: @escaping @Sendable (any Error) throws -> Void = { throw $0 },
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let outcome: Swift.Result<Result, any Error> = await withTaskGroup(of: Swift.Result<Result, any Error>?.self) {
            group in
            group.addTask {
                do { return .success(try await body()) } catch { return .failure(error) }
            }
            group.addTask {
                do {
                    try await renewUntilCancelled()
                } catch {
                    // A renewal that was cut off by the end of `body` tells nothing.
                    if Task.isCancelled { return nil }
                    do { try whenLost(error) } catch { return .failure(error) }
                }
                return nil
            }
            var first: Swift.Result<Result, any Error>?
            for await ended in group {
                guard let ended else { continue }
                if first == nil { first = ended }
                group.cancelAll()
            }
            return first ?? .failure(CancellationError())
        }
        await release()
        return try outcome.get()
    }

    /// Looks whether the lease is still there and nobody took it over, as happens to a run that slept for longer than it lasts.
    /// - Throws: `.busy` when it was lost.
    package func requireHeld() async throws {
        guard try await Lease.generations(backend, prefix).map(\.number) == [generation] else {
            throw EngineError(.busy, "another run took '\(prefix)' over")
        }
    }

    /// Deletes the lease's object, also in a cancelled task. It does not throw: what cannot be deleted expires.
    package func release() async {
        await Task { if let key = try? key(generation) { _ = try? await backend.delete([key]) } }.value
    }

    private func renewUntilCancelled() async throws {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .seconds(Lease.lifetimeInSeconds / 4))
            } catch {
                return
            }
            do {
                try await requireHeld()
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

    /// One object of the series; its holder is nil when it vanished or cannot be read.
    private typealias Generation = (number: Int, holder: Holder?)

    /// All generations, in ascending order.
    private static func generations(_ backend: any StorageBackend, _ prefix: String) async throws -> [Generation] {
        var keys: [ObjectKey] = []
        try await backend.forEachEntry(ListRequest(prefix: prefix)) { entry in
            if case .object(let info) = entry { keys.append(info.key) }
        }
        var generations: [Generation] = []
        for key in keys {
            guard let number = Int(key.name.prefix(9)) else { continue }
            let bytes = try await backend.readIfPresent(key, limit: 65_536)
            generations.append((number, bytes.flatMap { try? CanonicalJSON.decode(Holder.self, from: $0) }))
        }
        return generations
    }
}
