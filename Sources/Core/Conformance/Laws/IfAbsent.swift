import BackupAPI

extension ConformanceBench {
    /// Checks `if-absent-is-honest`: one after the other always; in a race where the place claims to decide it.
    func checkIfAbsentIsHonest() async throws {
        try await checkIfAbsentInTurn()
        guard backend.capabilities.hasAtomicCreate else {
            throw LawNotClaimed(words: "the place does not decide races of create-only writes")
        }
        for round in 0..<options.raceCount { try await checkRace(round) }
    }

    private func checkIfAbsentInTurn() async throws {
        let key = try key("in-turn")
        let first = Sample.bytes(5_000, seed: 1)
        let second = Sample.bytes(6_000, seed: 2)
        let onlyNew = WriteOptions(ifAbsent: true)
        try await write(first, to: key, options: onlyNew)
        for connection in [backend, other] {
            let found = try await reason { try await write(second, to: key, on: connection, options: onlyNew) }
            try require(
                found == .alreadyExists,
                "a create-only write over an object gives \(ConformanceBench.words(found))")
            let small = try await reason { try await connection.put(key, bytes: [1], options: onlyNew) }
            try require(
                small == .alreadyExists,
                "a small create-only write over an object gives \(ConformanceBench.words(small))")
        }
        try await requirePresent(key, first, "after refused create-only writes")
        _ = try await backend.delete([key])
        try await write(second, to: key, options: onlyNew)
        try await requirePresent(key, second, "after a create-only write over a deleted object")
    }

    /// All writers have begun and written everything before the first commits, so that each could win.
    private func checkRace(_ round: Int) async throws {
        let key = try key("race-\(round)/object")
        let contents = (0..<options.racingWriterCount).map { Sample.bytes(20_000 + $0, seed: UInt64(100 + $0)) }
        let winners = try await withConnections(contents.count) { connections in
            var drivers: [(index: Int, driver: any UploadDriver)] = []
            for (index, connection) in connections.enumerated() {
                let refusal = try await reason {
                    let driver = try await connection.beginWrite(key, options: WriteOptions(ifAbsent: true))
                    do {
                        try await driver.write(bytes: contents[index])
                    } catch {
                        await driver.abort()
                        throw error
                    }
                    drivers.append((index, driver))
                }
                try require(
                    refusal == nil || refusal == .alreadyExists,
                    "a racing writer gets \(ConformanceBench.words(refusal))")
            }
            return try await commit(drivers)
        }
        try require(winners.count == 1, "\(winners.count) of \(contents.count) racing writers won")
        try await requirePresent(key, contents[winners[0]], "after a race")
        let names = try await entries(ListRequest(prefix: folder + "race-\(round)/")).count
        try require(names == 1, "after a race, \(names) objects are listed")
    }

    /// Commits all at once.
    /// - Returns: which writers won; the others got `.alreadyExists`.
    private func commit(_ drivers: [(index: Int, driver: any UploadDriver)]) async throws -> [Int] {
        try await withThrowingTaskGroup(of: Int?.self) { group in
            for (index, driver) in drivers {
                group.addTask {
                    let refusal = try await self.reason { try await driver.commit() }
                    guard let refusal else { return index }
                    await driver.abort()
                    try self.require(
                        refusal == .alreadyExists, "a writer that lost gets \(ConformanceBench.words(refusal))")
                    return nil
                }
            }
            return try await group.reduce(into: []) { winners, index in
                if let index { winners.append(index) }
            }
        }
    }
}
