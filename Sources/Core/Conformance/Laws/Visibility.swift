import BackupAPI

extension ConformanceBench {
    /// Checks what can be seen of `commit-is-durable`: a committed object outlives the connection that wrote it.
    func checkCommitIsDurable() async throws {
        guard backend.capabilities.durability == .durable else {
            throw LawNotClaimed(words: "the place does not promise that a committed object survives a power cut")
        }
        let key = try key("outlives/its/connection")
        let bytes = Sample.bytes(100_000, seed: 1)
        try await withConnection { connection in try await write(bytes, to: key, on: connection) }
        let stored = try await withConnection { connection in
            try await must("reading what a closed connection wrote") { try await read(key, on: connection) }
        }
        try require(stored == bytes, "an object of a closed connection reads as \(Sample.difference(stored, bytes))")
    }

    /// Checks `read-after-write`: what one connection commits or deletes, every connection sees at once.
    func checkReadAfterWrite() async throws {
        for round in 0..<5 {
            let key = try key("folder-\(round)/object")
            let bytes = Sample.bytes(1000 + round, seed: UInt64(round))
            try await requireAbsent(key, "before the write")
            try await write(bytes, to: key)
            try await requirePresent(key, bytes, "after commit")
            for connection in [backend, other] {
                let names = try await listedNames(on: connection, isShallow: true)
                try require(names == ["folder-\(round)/"], "after commit, the folder is listed as \(names)")
            }
            let refused = try await backend.delete([key])
            try require(refused.isEmpty, "delete refuses an object that was just written")
            try await requireAbsent(key, "after delete")
            let names = try await listedNames(isShallow: true)
            try require(names.isEmpty, "after delete, the empty folder is listed as \(names)")
        }
    }

    /// Checks `replace-is-whole`: nothing of a longer old object is left.
    func checkReplaceIsWhole() async throws {
        let key = try key("replaced")
        for (index, byteCount) in [300_000, 10, 0, 65_536, options.largestByteCount, 1].enumerated() {
            let bytes = Sample.bytes(byteCount, seed: UInt64(index))
            try await write(bytes, to: key)
            try await requirePresent(key, bytes, "after a replace with \(byteCount) bytes")
        }
        let names = try await listedNames()
        try require(names == ["replaced"], "after replaces, the folder holds \(names)")
    }
}
