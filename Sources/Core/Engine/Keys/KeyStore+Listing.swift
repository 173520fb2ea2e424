import BackupAPI

extension KeyStore {
    /// Most bytes of a key object.
    private static let byteLimit = 1 << 20
    /// How often it is listed again while others change recipients.
    private static let attempts = 100

    /// All keys, oldest first, each as its newest revision.
    /// - Throws: `.keyDamaged` when one of them cannot be understood.
    func stored() async throws -> [StoredKey] {
        for _ in 0..<Self.attempts {
            if let keys = try await read(listed()) {
                return keys.sorted { ($0.wrapped.createdAt, $0.id) < ($1.wrapped.createdAt, $1.id) }
            }
        }
        throw EngineError(.busy, "others change the recipients at \(backend.displayName) all the time")
    }

    /// What a listing shows.
    private struct Listed {
        /// Revisions by the ids of keys.
        var revisions: [String: [Int]] = [:]
        var retired: Set<String> = []
    }

    private func listed() async throws -> Listed {
        var listed = Listed()
        try await backend.forEachEntry(ListRequest(prefix: Layout.keysPrefix, isShallow: true)) { entry in
            guard case .object(let info) = entry else { return }
            let parts = info.key.name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard let id = parts.first, let last = parts.last, parts.count <= 3 else { return }
            if try info.key == Layout.retiredKey(id) {
                listed.retired.insert(id)
            } else if last == "json", let revision = parts.count == 2 ? 0 : Int(parts[1]),
                // What is not written as we write it was not written by us.
                try info.key == Layout.key(id, revision: revision)
            {
                listed.revisions[id, default: []].append(revision)
            }
        }
        return listed
    }

    /// Reads the newest revision of each key; nil when one was superseded meanwhile.
    private func read(_ listed: Listed) async throws -> [StoredKey]? {
        let found = try await Array(listed.revisions).map(atOnce: backend.smallReadsAtOnce) { id, revisions in
            let newest = revisions.max() ?? 0
            let name = try Layout.key(id, revision: newest)
            guard let bytes = try await backend.readIfPresent(name, limit: Self.byteLimit) else {
                return nil as StoredKey?
            }
            return StoredKey(
                wrapped: try decode(bytes, name, id: id, revision: newest), key: name, bytes: bytes,
                superseded: try revisions.filter { $0 != newest }.map { try Layout.key(id, revision: $0) },
                isRetired: listed.retired.contains(id))
        }
        let keys = found.compactMap(\.self)
        return keys.count == found.count ? keys : nil
    }

    private func decode(_ bytes: [UInt8], _ name: ObjectKey, id: String, revision: Int) throws -> WrappedKey {
        guard let wrapped = try? CanonicalJSON.decode(WrappedKey.self, from: bytes), wrapped.id == id,
            wrapped.revision ?? 0 == revision
        else { throw EngineError(.keyDamaged, "'\(name)' at \(backend.displayName) is not a wrapped key") }
        guard wrapped.format == Layout.formatVersion else {
            throw EngineError(.unsupportedFormat, "'\(name)' has format \(wrapped.format)")
        }
        return wrapped
    }
}

extension [StoredKey] {
    /// The recipients of all keys for people: ids, and names where they have some.
    var recipientsText: String {
        let texts = flatMap(\.wrapped.wraps).map { wrap in
            wrap.recipient + (wrap.name.map { " '\($0)'" } ?? "")
        }
        return texts.isEmpty ? "there are none" : Set(texts).sorted().joined(separator: ", ")
    }
}
