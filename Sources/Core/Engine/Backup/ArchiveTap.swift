import BackupAPI
import CEngine
import WALFormat

/// Looks at the bytes of one archive as they pass: finds its members and computes their checksums.
final class ArchiveTap: TarVisitor {
    /// The label file is small; it is kept because the record needs what it says.
    private static let labelPath = "backup_label"
    private static let labelLimit = 65_536

    private(set) var members: [Member] = []
    /// Digests that the manifest is compared with, by index into `members`; empty when it has CRC-32C or none.
    private(set) var digests: [Int: [UInt8]] = [:]
    private(set) var label: [UInt8] = []
    private var reader = TarReader()
    private var digest: (any Digest)?
    private let makeDigest: (() -> any Digest)?
    private let isIncremental: Bool
    private var increment: IncrementalHeaderReader?

    /// - Parameters:
    ///   - makeDigest: begins the digest that the manifest uses; nil for CRC-32C or none.
    ///   - isIncremental: whether the archive is of an incremental backup and may have files `INCREMENTAL.*`.
    init(makeDigest: (() -> any Digest)?, isIncremental: Bool = false) {
        self.makeDigest = makeDigest
        self.isIncremental = isIncremental
    }

    /// Takes the next bytes.
    /// - Throws: `.streamMalformed`.
    func consume(_ bytes: RawSpan) throws(EngineError) {
        do {
            try unsafe bytes.withUnsafeBytes { try unsafe reader.consume($0, visitor: self) }
        } catch {
            throw EngineError(.streamMalformed, "\(error)")
        }
    }

    /// Says that the archive is complete.
    func finish(_ name: String) throws(EngineError) {
        guard reader.isBetweenEntries else {
            throw EngineError(.streamMalformed, "the archive '\(name)' ends in the middle")
        }
    }

    func begin(_ member: Member) throws {
        guard member.hasSafePath || member.kind == .folder && member.path.isEmpty else {
            throw TarError(offset: member.offset, words: "the name '\(member.path)' leaves the data directory")
        }
        members.append(member)
        digest = member.kind == .file ? makeDigest?() : nil
        increment = isIncremental && member.kind == .file && member.isNamedIncremental ? IncrementalHeaderReader() : nil
    }

    func content(_ bytes: UnsafeRawBufferPointer) throws {
        let index = members.count - 1
        unsafe members[index].checksum = pgm_crc32c(members[index].checksum, bytes.baseAddress, bytes.count)
        if let digest { unsafe digest.update(bytes.bytes) }
        try unsafe increment?.consume(bytes)
        if members[index].path == Self.labelPath, label.count < Self.labelLimit {
            unsafe label.append(contentsOf: bytes)
        }
    }

    func end() throws {
        let index = members.count - 1
        if let digest { digests[index] = digest.finish() }
        if let increment {
            guard let header = increment.header, header.fileByteCount == members[index].byteCount else {
                throw IncrementalHeaderError(description: "'\(members[index].path)' has not the blocks that it names")
            }
            members[index].kind = .incremental
            members[index].increment = header
        }
        // The root itself is no member: a restore makes it anyway.
        if members[index].path.isEmpty { members.removeLast() }
        digest = nil
    }
}
