/// Compares what arrived with PostgreSQL's manifest: every file, its size and its checksum.
struct ManifestCheck {
    /// A file that came.
    struct Arrived {
        /// Below the data directory.
        let path: String
        let byteCount: Int
        /// Seconds since 1970.
        let modifiedAt: Int64
        /// As the manifest prints it, but in bytes.
        let checksum: [UInt8]
    }

    private let arrived: [Arrived]
    private var byPath: [String: Int]?
    private var next = 0
    private var matched = 0
    private let hasChecksums: Bool

    /// - Parameters:
    ///   - archives: each archive's name and tap, in the order they came.
    ///   - hasChecksums: whether the manifest was asked for with checksums.
    init(archives: [(name: String, tap: ArchiveTap)], hasChecksums: Bool) {
        self.hasChecksums = hasChecksums
        arrived = Self.arrived(archives)
    }

    /// The files of archives, in the order they came.
    static func arrived(_ archives: [(name: String, tap: ArchiveTap)]) -> [Arrived] {
        archives.flatMap { archive in
            let prefix = archive.name == "base" ? "" : "pg_tblspc/\(archive.name)/"
            return archive.tap.members.enumerated().compactMap { (index, member) -> Arrived? in
                guard member.isContent else { return nil }
                let checksum = archive.tap.digests[index] ?? ManifestCheck.printed(member.checksum)
                return Arrived(
                    path: prefix + member.path, byteCount: member.byteCount, modifiedAt: member.modifiedAt,
                    checksum: checksum)
            }
        }
    }

    /// Checks one file of the manifest. It has the files in the order they were sent, so a look at the next one finds it.
    mutating func check(_ file: ManifestFile) throws(EngineError) {
        let shown = PathText.shown(file.path)
        guard let index = index(of: file.path) else {
            throw EngineError(.manifestMismatch, "the manifest names '\(shown)', which did not come")
        }
        let found = arrived[index]
        guard found.byteCount == file.byteCount else {
            throw EngineError(
                .manifestMismatch,
                "'\(shown)' came with \(found.byteCount) bytes, the manifest says \(file.byteCount)")
        }
        if hasChecksums, hexadecimal(found.checksum) != file.checksum.lowercased() {
            throw EngineError(.manifestMismatch, "the checksum of '\(shown)' differs from the manifest's")
        }
        matched += 1
    }

    /// Checks that no file came which the manifest does not name.
    func finish() throws(EngineError) {
        guard matched == arrived.count else {
            throw EngineError(.manifestMismatch, "\(arrived.count) files came, the manifest names \(matched) of them")
        }
    }

    private mutating func index(of path: String) -> Int? {
        if next < arrived.count, arrived[next].path == path {
            next += 1
            return next - 1
        }
        if byPath == nil { byPath = Dictionary(arrived.enumerated().map { ($1.path, $0) }) { first, _ in first } }
        return byPath?[path]
    }

    /// PostgreSQL prints a CRC-32C as the bytes of a little-endian number.
    private static func printed(_ checksum: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) }
    }
}
