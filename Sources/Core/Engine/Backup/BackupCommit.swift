import BackupAPI

/// The last step of a backup: a look whether each object is there, the checksum list, then the record. From then on the backup
/// exists.
struct BackupCommit: Sendable {
    let plan: BackupPlan
    let keys: KeyRing

    /// Commits on every target that has not failed; one that fails now is left out.
    func run(_ record: BackupRecord, objects: [StoredObject], to targets: [UploadTarget]) async throws {
        let bytes = try RecordFile(keys: keys, cryptography: plan.cryptography).encode(record)
        let digest = plan.cryptography.makeDigest(.sha512)
        digest.update(unsafe bytes.span.bytes)
        let own = StoredObject(path: Layout.recordName, bytes: bytes.count, sha512: hexadecimal(digest.finish()))
        let list = ChecksumList.text(objects + [own])
        for target in targets.well {
            do {
                let listKey = try Layout.object(record.server, record.label, Layout.checksumsName)
                let recordKey = try Layout.object(record.server, record.label, Layout.recordName)
                try await target.backend.requireStored(
                    objects, of: record.label, server: record.server,
                    remedy:
                        "The place does not have what it said was stored. See what is wrong there before the next backup."
                )
                try await target.backend.put(listKey, bytes: list)
                guard try await target.backend.create(recordKey, bytes: bytes) else {
                    throw StorageError(
                        .alreadyExists, operation: .commit, key: recordKey.string, target: target.backend.displayName)
                }
            } catch let error as StorageError where error.reason != .cancelled {
                target.fail(error)
            } catch let error as EngineError {
                target.fail(error)
            }
        }
        try targets.requireOneComplete()
    }
}
