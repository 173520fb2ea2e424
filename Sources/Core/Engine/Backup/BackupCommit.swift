import BackupAPI

/// The last step of a backup: a look whether each object is there, the checksum list, then the record. From then on the backup
/// exists.
struct BackupCommit: Sendable {
    let plan: BackupPlan
    let keys: KeyRing

    /// Commits on every target that has not failed; one that fails now is left out.
    /// - Parameter beforeRecords: is called when all but the records is there, and may let targets fail.
    func run(
        _ record: BackupRecord, objects: [StoredObject], to targets: [UploadTarget],
        beforeRecords: () async throws -> Void = {}
    ) async throws {
        let bytes = try RecordFile(keys: keys, cryptography: plan.cryptography).encode(record)
        let digest = plan.cryptography.makeDigest(.sha512)
        digest.update(unsafe bytes.span.bytes)
        let own = StoredObject(path: Layout.recordName, bytes: bytes.count, sha512: hexadecimal(digest.finish()))
        let list = ChecksumList.text(objects + [own])
        let listKey = try Layout.object(record.server, record.label, Layout.checksumsName)
        let recordKey = try Layout.object(record.server, record.label, Layout.recordName)
        for target in targets {
            _ = try await target.attempt {
                try await target.backend.requireStored(
                    objects, of: record.label, server: record.server,
                    remedy:
                        "The place does not have what it said was stored. See what is wrong there before the next backup."
                )
                try await target.backend.put(listKey, bytes: list)
            }
        }
        try targets.requireOneComplete()
        try await beforeRecords()
        for target in targets {
            _ = try await target.attempt {
                guard try await target.backend.create(recordKey, bytes: bytes) else {
                    throw StorageError(
                        .alreadyExists, operation: .commit, key: recordKey.string, target: target.backend.displayName)
                }
            }
        }
        try targets.requireOneComplete()
    }
}
