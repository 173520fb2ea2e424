import BackupAPI
import CEngine
import WALFormat

extension WALArchive {
    /// Writes a file, which is proven when this returns: its bytes, and that its header fits to its name and cluster.
    /// - Returns: CRC-32C of its bytes.
    func write(_ record: ArchivedWAL, _ name: WALFileName, to draft: DraftFile) async throws -> UInt32 {
        var front: [UInt8] = []
        var checksum: UInt32 = 0
        try await stream(record, name) { bytes in
            checksum = unsafe bytes.withUnsafeBytes { unsafe pgm_crc32c(checksum, $0.baseAddress, $0.count) }
            if front.count < 64 {
                unsafe bytes.withUnsafeBytes { unsafe front.append(contentsOf: $0.prefix(64)) }
            }
            try draft.write(bytes)
        }
        if name.isLog {
            do {
                let header = try unsafe front.withUnsafeBytes { (bytes) throws(WALFormatError) in
                    try unsafe WALPageHeader(bytes)
                }
                try WALFileCheck.require(header, fits: name, byteCount: draft.byteCount)
                guard header.segment.map({ String($0.systemIdentifier) }) == record.segment?.systemIdentifier else {
                    throw WALFormatError("it is of another cluster")
                }
            } catch {
                throw EngineError(.objectDamaged, "'\(name)' at \(backend.displayName): \(error)")
            }
        }
        return checksum
    }
}
