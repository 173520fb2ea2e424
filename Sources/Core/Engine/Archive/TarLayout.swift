import BackupAPI

/// Where everything stands in the tar file of a snapshot: pure arithmetic, done before anything is read.
///
/// The data directory is one folder. Each tablespace is another beside it, and the link to it in `pg_tblspc` is relative: so a
/// server starts on what `tar` unpacks, wherever that is, and nothing is written elsewhere. (PostgreSQL stops when it finds a
/// real folder in `pg_tblspc` after recovery: `CheckTablespaceDirectory`, version 15 and later.)
struct TarLayout: Sendable {
    /// What has a header.
    enum Entry: Sendable, Hashable {
        /// The data directory.
        case top
        /// Index into the snapshot's folders.
        case folder(Int)
        /// A tablespace's link; index into the snapshot's links.
        case link(Int)
        /// The folder that it leads to.
        case tablespace(Int)
        /// Index into the snapshot's files.
        case file(Int)
    }

    /// To whom `tar` gives the files where it may: PostgreSQL refuses to run as root, and will not read what root owns.
    private static let owner = "postgres"

    private let snapshot: Snapshot
    private let folderName: String
    private let modes: RestoredModes
    private let modifiedAt: Int
    /// In the order of the tar file.
    let entries: [Entry]
    /// Where each entry's header begins, and behind the last one where the manifest's begins.
    let offsets: [Int]
    /// Where each file's content begins.
    let contents: [Int]

    /// - Parameter folderName: the data directory; names of tablespaces' folders begin with it.
    init(_ snapshot: Snapshot, folderName: String) {
        var bare = snapshot
        bare.parts = []
        self.snapshot = bare
        self.folderName = folderName
        modes = RestoredModes(snapshot)
        modifiedAt = snapshot.record.endedAt
        let (inData, elsewhere) = (snapshot.folders.indices).split { snapshot.folders[$0].root == .data }
        entries =
            [.top] + inData.map { .folder($0) } + snapshot.links.indices.flatMap { [.link($0), .tablespace($0)] }
            + elsewhere.map { .folder($0) } + Self.fileOrder(snapshot).map { .file($0) }
        var offsets: [Int] = []
        offsets.reserveCapacity(entries.count + 1)
        var contents = [Int](repeating: 0, count: snapshot.files.count)
        var offset = 0
        for entry in entries {
            offsets.append(offset)
            offset += Self.header(entry, snapshot, folderName, modes, modifiedAt).count
            guard case .file(let index) = entry else { continue }
            contents[index] = offset
            offset += (snapshot.files[index].byteCount + 511) & ~511
        }
        offsets.append(offset)
        (self.offsets, self.contents) = (offsets, contents)
    }

    /// All bytes but those of the manifest and the end.
    var byteCount: Int { offsets[entries.count] }

    func header(of entry: Entry) -> [UInt8] { Self.header(entry, snapshot, folderName, modes, modifiedAt) }

    /// The header of the manifest, which is the last file.
    func manifestHeader(byteCount: Int) -> [UInt8] {
        TarHeader.make(
            TarHeader.Entry(
                path: Array("\(folderName)/backup_manifest".utf8), byteCount: byteCount, mode: Int(modes.ownFile),
                modifiedAt: modifiedAt, owner: Self.owner))
    }

    /// The indexes of the entries of which something stands in this range of the tar file.
    func entries(in range: Range<Int>) -> Range<Int> {
        let first = offsets.partitioningIndex { $0 > range.lowerBound } - 1
        return first..<min(entries.count, offsets.partitioningIndex { $0 >= range.upperBound })
    }

    /// Files in the order in which the archive that has most of each is read: the oldest one. So a long chain is read in a few
    /// passes side by side, and nothing is fetched often.
    private static func fileOrder(_ snapshot: Snapshot) -> [Int] {
        var places = [(part: Int, source: Int)](repeating: (-1, 0), count: snapshot.files.count)
        for (number, part) in snapshot.parts.enumerated() {
            for extent in part.extents where places[extent.file].part != number {
                places[extent.file] = (number, extent.source)
            }
        }
        return snapshot.files.indices.sorted {
            (places[$0].part, places[$0].source, $0) < (places[$1].part, places[$1].source, $1)
        }
    }

    private static func header(
        _ entry: Entry, _ snapshot: Snapshot, _ folderName: String, _ modes: RestoredModes, _ modifiedAt: Int
    ) -> [UInt8] {
        func folder(_ path: [UInt8], mode: UInt32) -> [UInt8] {
            TarHeader.make(.init(kind: .folder, path: path, mode: Int(mode), modifiedAt: modifiedAt, owner: owner))
        }
        func path(_ root: Snapshot.Root, _ path: String) -> [UInt8] {
            let folder =
                switch root {
                case .data: folderName
                case .wal: "\(folderName)/pg_wal"
                case .tablespace(let oid): "\(folderName)-\(oid)"
                }
            return Array(folder.utf8) + [0x2F] + PathText.bytes(path)
        }
        /// The folder of a tablespace, beside the data directory; its OID is the name of its link.
        func place(ofLink index: Int) -> [UInt8] {
            Array("\(folderName)-".utf8)
                + PathText.bytes(snapshot.links[index].path).split(separator: 0x2F).suffix(1).joined()
        }
        switch entry {
        case .top: return folder(Array(folderName.utf8), mode: modes.root)
        case .tablespace(let index): return folder(place(ofLink: index), mode: modes.root)
        case .link(let index):
            return TarHeader.make(
                .init(
                    kind: .link, path: path(.data, snapshot.links[index].path),
                    linkTarget: Array("../../".utf8) + place(ofLink: index), mode: 0o777, modifiedAt: modifiedAt,
                    owner: owner))
        case .folder(let index):
            let found = snapshot.folders[index]
            return folder(path(found.root, found.path), mode: modes.folder(found.mode))
        case .file(let index):
            let file = snapshot.files[index]
            return TarHeader.make(
                .init(
                    path: path(file.root, file.path), byteCount: file.byteCount,
                    mode: Int(modes.file(file.mode, in: file.root)), modifiedAt: Int(file.modifiedAt), owner: owner))
        }
    }
}

extension Range<Int> {
    /// The numbers for which `belongs` holds, and the others, both ascending.
    fileprivate func split(_ belongs: (Int) -> Bool) -> ([Int], [Int]) { (filter(belongs), filter { !belongs($0) }) }
}

extension [Int] {
    /// The first index whose element fulfils what all behind it fulfil too; the count when there is none.
    fileprivate func partitioningIndex(_ belongs: (Int) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
