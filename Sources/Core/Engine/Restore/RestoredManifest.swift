import BackupAPI
import Glibc

/// Writes a manifest beside restored data, so that `pg_verifybackup` can check the directory: PostgreSQL's own one, or for a
/// chain the one of the whole.
struct RestoredManifest {
    let chain: BackupChain
    let cryptography: any Cryptography
    let target: RestoreTarget
    let owner: FileOwner?

    /// Proves what will be written, where it is stored; nothing is changed.
    func prove() async throws { if chain.hasOwnManifest { try await chain.newest.manifest { _ in } } }

    /// Writes it.
    /// - Parameter checksums: CRC-32C of each file of the snapshot.
    func write(_ snapshot: Snapshot, checksums: [UInt32], mode: mode_t) async throws {
        let path = target.dataDirectory + "/backup_manifest"
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw FileFault.error(errno, "write", path) }
        defer { close(descriptor) }
        if fchmod(descriptor, mode) != 0 { throw FileFault.error(errno, "set the mode of", path) }
        if let owner, fchown(descriptor, owner.user, owner.group) != 0 {
            throw FileFault.error(errno, "give away", path)
        }
        try await chain.manifest(of: snapshot, checksums: checksums, cryptography) { span in
            try unsafe span.withUnsafeBytes { try unsafe Self.append($0, to: descriptor, path) }
        }
    }

    private static func append(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String) throws {
        var written = 0
        while written < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0, errno != EINTR { throw FileFault.error(errno, "write", path) }
            written += max(0, count)
        }
    }
}
