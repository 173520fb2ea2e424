import PostgresClient
import WALFormat

/// How one file of the server goes into an incremental backup. Its blocks are found again when its turn comes: there may be many.
struct FilePlan {
    /// The most bytes that are asked for as one stretch.
    static let stretchByteCount = 1 << 20

    let file: ServerFile
    /// Its path in the archive.
    let path: String
    private let rule: IncrementRule
    /// Bytes of its entry in the archive.
    let byteCount: Int

    /// - Parameter path: of the whole file in the archive.
    init(_ file: ServerFile, path: String, rule: IncrementRule) {
        self.file = file
        self.rule = rule
        let increment = file.isFolder ? nil : rule.increment(of: file)
        byteCount = increment?.fileByteCount ?? file.byteCount
        var parts = path.split(separator: "/", omittingEmptySubsequences: false)
        if increment != nil {
            parts[parts.count - 1] = Substring(IncrementalHeader.namePrefix + parts[parts.count - 1])
        }
        self.path = parts.joined(separator: "/")
    }

    /// The blocks that are sent; nil for a whole file.
    var increment: IncrementalHeader? { file.isFolder ? nil : rule.increment(of: file) }

    /// What is read of it, ascending.
    /// - Parameter increment: the blocks that are sent.
    func stretches(_ increment: IncrementalHeader?) -> [ServerFileRange] {
        let size = IncrementalHeader.blockByteCount
        let whole =
            increment.map { $0.runs.map { (Int($0.first) * size, Int($0.count) * size) } } ?? [(0, file.byteCount)]
        return whole.flatMap { (start, count) in
            stride(from: 0, to: count, by: Self.stretchByteCount).map { offset in
                ServerFileRange(
                    path: file.path, offset: start + offset, byteCount: min(Self.stretchByteCount, count - offset))
            }
        }
    }
}

/// Decides what is sent of each file: only the blocks that changed since the parent, where that is known of all of them.
struct IncrementRule {
    /// Blocks that changed since the parent began.
    let changes: BlockMap
    /// The paths of the parent's files below the data directory, those of incremental files as the files they stand for.
    let parentPaths: Set<String>

    /// The blocks to send of a relation file; nil when it is sent whole.
    func increment(of file: ServerFile) -> IncrementalHeader? {
        let size = IncrementalHeader.blockByteCount
        guard let relation = RelationFile(path: file.path), relation.fork.fork != RelationFile.freeSpaceMap,
            file.byteCount > 0, file.byteCount % size == 0,
            file.byteCount / size <= Int(IncrementalHeader.mostBlocks), parentPaths.contains(file.path),
            !changes.isReplaced(database: relation.fork.database, tablespace: relation.fork.tablespace)
        else { return nil }
        let count = UInt32(file.byteCount / size)
        guard let changed = changes[relation.fork] else {
            return IncrementalHeader(truncationBlockCount: count, runs: [])
        }
        let first = relation.firstBlock
        if let limit = changed.limit, limit <= first { return nil }
        // From the limit on nothing is the parent's: all of it is sent, also what the log does not name.
        let limit = min(count, changed.limit.map { $0 - first } ?? count)
        var runs = changed.runs(in: first..<first + limit).map { BlockRun(first: $0.first - first, count: $0.count) }
        if limit < count {
            if let last = runs.last, last.end == limit {
                runs[runs.count - 1].count += count - limit
            } else {
                runs.append(BlockRun(first: limit, count: count - limit))
            }
        }
        // With nearly all of its blocks a file is simpler whole.
        guard runs.reduce(0, { $0 + Int($1.count) }) * 10 <= Int(count) * 9 else { return nil }
        return IncrementalHeader(truncationBlockCount: limit, runs: runs)
    }
}
