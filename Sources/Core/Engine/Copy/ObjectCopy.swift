import BackupAPI

/// Copies single objects, and proves every byte by its digest: before it becomes visible, or where it is already.
struct ObjectCopy: Sendable {
    private enum Presence {
        case absent, whole, other
    }

    private let destination: any StorageBackend
    private let reading: StoredObjectReader
    private let checking: StoredObjectReader
    private let progress: ProgressCounter

    init(
        from source: any StorageBackend, to destination: any StorageBackend, cryptography: any Cryptography,
        progress: ProgressCounter
    ) {
        self.destination = destination
        self.progress = progress
        reading = StoredObjectReader(backend: source, chain: CodecChain([]), cryptography: cryptography)
        checking = StoredObjectReader(backend: destination, chain: CodecChain([]), cryptography: cryptography)
    }

    /// Brings an object to the destination. What is there under its name and is another object is replaced.
    /// - Returns: whether it was copied; false when it was there, whole.
    /// - Throws: `.objectDamaged` with its path when the source's bytes are not those of its digest; nothing is visible then.
    func run(_ object: StoredObject, key: ObjectKey, identity: ObjectIdentity) async throws -> Bool {
        switch try await presence(object, key: key, identity: identity) {
        case .whole:
            progress.add(byteCount: object.bytes)
            return false
        case .other:
            if let error = try await destination.delete([key])[key] { throw error }
        case .absent: break
        }
        let options = WriteOptions(ifAbsent: true, expectedByteCount: object.bytes)
        try await destination.put(key, options: options) { (upload: inout Upload) in
            try await reading.stream(object, key: key, identity: identity) { bytes in
                try await upload.write(bytes)
                progress.add(byteCount: bytes.byteCount)
            }
        }
        return true
    }

    private func presence(_ object: StoredObject, key: ObjectKey, identity: ObjectIdentity) async throws -> Presence {
        do {
            guard try await destination.stat(key).byteCount == object.bytes else { return .other }
        } catch {
            guard error.reason == .notFound else { throw error }
            return .absent
        }
        do {
            try await checking.stream(object, key: key, identity: identity) { _ in }
            return .whole
        } catch let error as EngineError where error.reason == .objectDamaged {
            return .other
        }
    }
}
