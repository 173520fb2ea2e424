import BackupAPI

extension ConformanceBench {
    /// Checks `commit-is-atomic`: new objects, replaced ones, readers that were open before; and readers in a race with a writer that
    /// replaces, where the place claims to replace in one step.
    func checkCommitIsAtomic() async throws {
        try await checkNewObjectAppearsAtCommit()
        try await checkReplacedObjectStaysUntilCommit()
        try await checkReaderAcrossCommit()
        guard backend.capabilities.hasAtomicReplace else {
            throw LawNotClaimed(words: "an object that is replaced is gone for a moment")
        }
        try await checkReadersDuringReplaces()
    }

    private func checkNewObjectAppearsAtCommit() async throws {
        for byteCount in [10, options.largestByteCount] {
            let key = try key("new-\(byteCount)")
            let bytes = Sample.bytes(byteCount, seed: 1)
            let driver = try await backend.beginWrite(key, options: WriteOptions())
            do {
                try await requireAbsent(key, "before anything was written")
                try await driver.write(bytes: bytes)
                try await requireAbsent(key, "before commit")
            } catch {
                await driver.abort()
                throw error
            }
            try await driver.commit()
            try await requirePresent(key, bytes, "after commit")
        }
    }

    private func checkReplacedObjectStaysUntilCommit() async throws {
        let key = try key("replaced")
        let old = Sample.bytes(70_000, seed: 2)
        let new = Sample.bytes(90_000, seed: 3)
        try await write(old, to: key)
        let driver = try await backend.beginWrite(key, options: WriteOptions())
        do {
            try await driver.write(bytes: new)
            try await requirePresent(key, old, "before the replacing commit")
        } catch {
            await driver.abort()
            throw error
        }
        try await driver.commit()
        try await requirePresent(key, new, "after the replacing commit")
    }

    /// A reader that was opened before a commit gives one of the two objects, or an error, and no mixture.
    private func checkReaderAcrossCommit() async throws {
        let key = try key("open-reader")
        let old = Sample.bytes(options.largestByteCount, seed: 4)
        let new = Sample.bytes(options.largestByteCount, seed: 5)
        try await write(old, to: key)
        let reader = try await other.openRead(key, range: nil)
        var found = try await reader.chunk(1000)
        try await write(new, to: key)
        do {
            while true {
                let chunk = try await reader.chunk(1 << 20)
                if chunk.isEmpty { break }
                found += chunk
            }
        } catch let error as StorageError {
            note(error)
            found = old
        }
        await reader.close()
        try require(
            found == old || found == new, "a reader that was open during a commit gives a mixture of old and new")
    }

    private func checkReadersDuringReplaces() async throws {
        let key = try key("race")
        let versions = [Sample.bytes(100_000, seed: 6), Sample.bytes(130_000, seed: 7)]
        try await write(versions[0], to: key)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for round in 0..<10 { try await self.write(versions[(round + 1) % 2], to: key) }
            }
            for _ in 0..<2 {
                group.addTask {
                    for _ in 0..<10 { try await self.requireWholeVersion(key, versions) }
                }
            }
            try await group.waitForAll()
        }
    }

    /// A reader may be told that its object was replaced, but never that there is none.
    private func requireWholeVersion(_ key: ObjectKey, _ versions: [[UInt8]]) async throws {
        do {
            let found = try await read(key, on: other)
            try require(versions.contains(found), "a read during a replace gives neither the old nor the new object")
        } catch let error as StorageError {
            try require(error.reason != .notFound, "a read during a replace finds no object")
        }
    }
}
