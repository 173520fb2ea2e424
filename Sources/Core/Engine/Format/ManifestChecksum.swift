package import BackupAPI

/// PostgreSQL's checksum over its own manifest: SHA-256 of all lines but the last one, which holds it as `Manifest-Checksum`
/// (PostgreSQL documentation, "Backup Manifest Format").
///
/// It takes the manifest as it comes, and keeps no more than a line.
package struct ManifestChecksum {
    /// A line holds one path of at most 1024 bytes, in hexadecimal or with escapes.
    private static let longestLineByteCount = 64 << 10
    private static let lineFeed = UInt8(ascii: "\n")
    private let digest: any Digest
    /// The last line so far; its end may have come, but nothing behind it.
    private var line: [UInt8] = []

    /// - Parameter digest: a fresh SHA-256.
    package init(sha256 digest: any Digest) { self.digest = digest }

    /// Takes the next piece.
    /// - Throws: when a line is longer than any that PostgreSQL writes.
    package mutating func consume(_ bytes: UnsafeRawBufferPointer) throws(ManifestError) {
        var offset = 0
        while offset < bytes.count {
            if line.last == Self.lineFeed {
                digest.update(unsafe line.span.bytes)
                line.removeAll(keepingCapacity: true)
            }
            // Sound: the bytes are copied before the call returns.
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset...])
            let count = unsafe rest.firstIndex(of: Self.lineFeed).map { $0 + 1 } ?? rest.count
            unsafe line.append(contentsOf: rest.prefix(count))
            offset += count
            guard line.count <= Self.longestLineByteCount else {
                throw ManifestError(
                    description: "a line of the manifest has more than \(Self.longestLineByteCount) bytes")
            }
        }
    }

    /// Says that nothing more comes.
    /// - Parameter recorded: what the manifest's last line says, in hexadecimal.
    /// - Throws: when it is another checksum, or none.
    package func finish(recorded: String) throws(ManifestError) {
        guard !recorded.isEmpty else { throw ManifestError(description: "the manifest has no checksum of its own") }
        guard hexadecimal(digest.finish()) == recorded.lowercased() else {
            throw ManifestError(description: "the manifest is not what its own checksum says")
        }
    }
}
