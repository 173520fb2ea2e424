import BackupAPI

extension ConformanceBench {
    /// Checks `delete-is-idempotent`: nothing, one, batches, strangers among them, twice the same.
    func checkDeleteIsIdempotent() async throws {
        try await requireDeletes([], "an empty list")
        let missing = try key("no/such/object")
        try await requireDeletes([missing], "an object that never was")

        let one = try key("one")
        try await write([1, 2, 3], to: one)
        try await requireDeletes([one, one], "an object named twice")
        try await requireAbsent(one, "after delete")
        try await requireDeletes([one], "a deleted object")

        try await checkFolderIsNoObject()
        try await checkBatch(40)
        if options.checksThousands { try await checkBatch(1_100) }
    }

    /// Deleting a name that is only the beginning of other keys deletes nothing.
    private func checkFolderIsNoObject() async throws {
        let inside = try key("folder/inside")
        let beside = try key("folder-beside")
        try await write([1], to: inside)
        try await write([2], to: beside)
        try await requireDeletes([try key("folder")], "a folder's name")
        try await requirePresent(inside, [1], "after deleting its folder's name")
        try await requireDeletes([inside], "the only object of a folder")
        try await requirePresent(beside, [2], "after deleting what stands beside it")
    }

    private func checkBatch(_ count: Int) async throws {
        let keys = try (0..<count).map { try key("batch/folder-\($0 % 7)/object-\($0)") }
        for (index, key) in keys.enumerated() where index % 3 != 0 { try await write([UInt8(index % 251)], to: key) }
        try await requireDeletes(Array(keys.dropLast()), "\(count - 1) objects, a third of which never were")
        let left = try await entries(ListRequest(prefix: folder + "batch/"), on: other).map(\.position)
        let expected = (count - 1) % 3 == 0 ? [] : [keys[count - 1].string]
        try require(left == expected, "after deleting \(count - 1) objects, \(left) is left and not \(expected)")
        try await requireDeletes(keys, "objects most of which are gone")
        try await requireAbsent(keys[0], "after delete")
    }

    private func requireDeletes(_ keys: [ObjectKey], _ what: String) async throws {
        do {
            let refused = try await backend.delete(keys)
            for error in refused.values { note(error) }
            let first = refused.first.map { $0.value.summary } ?? ""
            try require(refused.isEmpty, "deleting \(what) refuses \(refused.count): \(first)")
        } catch let error as StorageError {
            note(error)
            throw LawViolation(words: "deleting \(what) throws: \(error.summary)")
        }
    }
}
