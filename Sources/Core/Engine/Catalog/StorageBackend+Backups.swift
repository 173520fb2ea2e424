import BackupAPI

extension StorageBackend {
    /// The sizes of all objects below a prefix, by their paths behind it.
    func sizes(below prefix: String) async throws -> [String: Int] {
        var sizes: [String: Int] = [:]
        try await forEachEntry(ListRequest(prefix: prefix)) { entry in
            guard case .object(let info) = entry else { return }
            sizes[String(decoding: info.key.string.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)] = info.byteCount
        }
        return sizes
    }

    /// Checks by a listing that objects of a backup are here, with the sizes that were written.
    /// - Throws: `.objectDamaged` with the name of one that is not, and `remedy`.
    func requireStored(
        _ objects: [StoredObject], of label: BackupLabel, server: String, remedy: String
    ) async throws {
        let sizes = try await sizes(below: Layout.backupPrefix(server, label))
        for object in objects where sizes[object.path] != object.bytes {
            throw EngineError(
                .objectDamaged, "'\(object.path)' of \(label) at \(displayName) is missing or cut", remedy: remedy)
        }
    }
}
