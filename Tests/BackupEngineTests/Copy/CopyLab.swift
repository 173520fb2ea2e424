import BackupAPI
import BackupConformance
import BackupEngine
import Codecs
import Synchronization

/// Backups made by hand, of bytes without a meaning, and copies of them.
struct CopyLab {
    static let label = "20240928065644"
    let cryptography = OpenSSLCryptography()
    let source = MemoryBackend(name: "memory:source")
    /// Seconds since 1970; each copy begins long after the last one's lease.
    private let clock = Clock()

    private final class Clock: Sendable {
        let seconds = Atomic<Int>(1_727_506_604)
    }

    /// Puts a backup into a place, as a repository of its own.
    func plant(
        _ label: String = CopyLab.label, parent: String? = nil, system: String = "7000", keyID: String? = nil,
        seed: Int = 1, wal: String = "000000010000000000000002", on place: MemoryBackend? = nil
    ) throws {
        let place = place ?? source
        let prefix = "primary/backup/\(label)/"
        let sizes = [
            ("data/base.000001.tar", 300_000), ("data/base.000002.tar", 70_000), ("data/pg_wal.000001.tar", 1),
            ("backup.manifest", 1000), ("backup.index", 0),
        ]
        var objects: [StoredObject] = []
        for (number, (path, size)) in sizes.enumerated() {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: ($0 &+ number) &* (2 * seed + 5) >> 2) }
            place.plant(bytes, at: try ObjectKey(prefix + path))
            objects.append(StoredObject(path: path, bytes: size, sha512: digest(bytes)))
        }
        let record = try record(label, parent: parent, system: system, keyID: keyID, wal: wal, objects: objects)
        let own = StoredObject(path: "backup.info", bytes: record.count, sha512: digest(record))
        place.plant(record, at: try ObjectKey(prefix + "backup.info"))
        place.plant(ChecksumList.text(objects + [own]), at: try ObjectKey(prefix + "backup.sha512"))
        let description = #"{"format":1,"id":"\#(place.displayName)","isEncrypted":\#(keyID != nil)}"#
        place.plant(Array(description.utf8), at: try ObjectKey("repository.json"))
        if let keyID { place.plant(Self.wrappedKey(keyID), at: try ObjectKey("keys/\(keyID).json")) }
    }

    private func record(
        _ label: String, parent: String?, system: String, keyID: String?, wal: String, objects: [StoredObject]
    ) throws -> [UInt8] {
        func json(_ value: some Encodable) throws -> String {
            String(decoding: try CanonicalJSON.encode(value), as: UTF8.self)
        }
        let codecs = keyID.map { #"[{"name": "aes-256-gcm", "parameters": {"key": "\#($0)"}}]"# } ?? "[]"
        let parentLine = parent.map { #""parent": "\#($0)", "parentID": "b-\#($0)", "# } ?? ""
        let text = """
            {"format": 1, "version": "0.1.0", "id": "b-\(label)", "server": "primary", "label": "\(label)",
            "type": "\(parent == nil ? "full" : "incremental")", \(parentLine)"systemIdentifier": "\(system)",
            "majorVersion": 17, "minorVersion": 0, "startLSN": "0/2000028", "endLSN": "0/2000120",
            "checkpointLSN": "0/2000080", "startTimeline": 1, "endTimeline": 1, "wal": "\(wal)",
            "walSegmentBytes": 16777216, "hasDataChecksums": true, "startedAt": 1, "endedAt": 2,
            "elapsedMilliseconds": 1000, "backupBytes": \(objects.reduce(0) { $0 + $1.bytes }), "restoreBytes": 5,
            "biggestFileBytes": 5, "fileCount": 1, "tablespaces": [], "codecs": \(codecs),
            "frames": \(try json(FrameFormat.standard)), "manifestChecksums": "CRC32C",
            "manifest": \(try json(objects[3])), "index": \(try json(objects[4])), "authentication": ""}
            """
        let record = try CanonicalJSON.decode(BackupRecord.self, from: Array(text.utf8))
        return try RecordFile(keys: KeyRing(), cryptography: cryptography).encode(record)
    }

    private func digest(_ bytes: [UInt8]) -> String {
        let digest = cryptography.makeDigest(.sha512)
        digest.update(unsafe bytes.span.bytes)
        return hexadecimal(digest.finish())
    }

    /// Copies a backup; from `source` where nothing else is said.
    func copy(
        _ identifier: String = "newest", from place: (any StorageBackend)? = nil, to destination: any StorageBackend,
        includesParents: Bool = false, masterKey: MasterKey? = nil
    ) async throws -> CopyOutcome {
        let now = clock.seconds.add(1000, ordering: .relaxed).newValue
        var plan = CopyPlan(
            server: "primary", cryptography: cryptography,
            taker: LeaseTaker(host: "lab", process: 1, clock: { now }))
        plan.includesParents = includesParents
        plan.masterKey = masterKey
        let operation = BackupCopy(
            plan: plan, from: place ?? source, to: destination, progress: ProgressCounter(activity: ""))
        return try await onPool { try await operation.run(identifier) }
    }

    /// The catalog of a place that has a repository.
    func catalog(of place: any StorageBackend, masterKey: MasterKey? = nil) async throws -> Catalog {
        let repository = try await Repository.open(
            name: place.displayName, backend: place, masterKey: masterKey, cryptography: cryptography)
        guard let repository else { throw EngineError(.noBackup, "there is no repository") }
        return Catalog(repository: repository, server: "primary", cryptography: cryptography)
    }

    /// A wrapped key that nobody can open.
    static func wrappedKey(_ id: String) -> [UInt8] {
        Array(#"{"format": 1, "id": "\#(id)", "createdAt": 1, "wraps": []}"#.utf8)
    }

    /// The objects of all backups, by key.
    static func backups(on place: MemoryBackend) -> [String: [UInt8]] {
        let own = place.contents.filter { $0.key.string.hasPrefix("primary/backup/") }
        return Dictionary(uniqueKeysWithValues: own.map { ($0.key.string, $0.value) })
    }
}
