import WALFormat

/// A file of a relation, as its path below the data directory tells (documentation, "Database File Layout").
struct RelationFile: Sendable, Hashable {
    /// The tablespaces that have no folder in `pg_tblspc`.
    private static let defaultTablespace: UInt32 = 1663
    private static let globalTablespace: UInt32 = 1664
    private static let forks: [Substring: UInt8] = ["fsm": freeSpaceMap, "vm": 2, "init": initial]
    static let freeSpaceMap: UInt8 = 1
    /// What an unlogged relation begins with after a crash.
    static let initial: UInt8 = 3

    let fork: RelationFork
    /// Counts the fork's files of 1 GiB.
    let segment: UInt32

    /// Reads a path; nil for any other file.
    init?(path: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard let name = parts.last, let (relation, fork, segment) = Self.numbers(name),
            let (tablespace, database) = Self.place(parts.dropLast())
        else { return nil }
        self.fork = RelationFork(tablespace: tablespace, database: database, relation: relation, fork: fork)
        self.segment = segment
    }

    /// The first block of the file, counted over all files of the fork.
    var firstBlock: UInt32 { segment * IncrementalHeader.mostBlocks }

    /// Tablespace and database of the files in a folder; nil when it is none of relations.
    static func place(_ parts: ArraySlice<Substring>) -> (tablespace: UInt32, database: UInt32)? {
        let parts = Array(parts)
        switch (parts.first, parts.count) {
        case ("global", 1): return (globalTablespace, 0)
        case ("base", 2): return number(parts[1]).map { (defaultTablespace, $0) }
        case ("pg_tblspc", 4):
            guard let tablespace = number(parts[1]), let database = number(parts[3]) else { return nil }
            return (tablespace, database)
        default: return nil
        }
    }

    /// Whether a name is that of a temporary relation's file, such as `t3_16384_fsm.1`.
    static func isTemporary(_ name: Substring) -> Bool {
        guard name.first == "t" else { return false }
        let parts = name.dropFirst().split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 && number(parts[0]) != nil && numbers(parts[1]) != nil
    }

    private static func numbers(_ name: Substring) -> (relation: UInt32, fork: UInt8, segment: UInt32)? {
        let pieces = name.split(separator: ".", omittingEmptySubsequences: false)
        guard pieces.count <= 2 else { return nil }
        var segment: UInt32 = 0
        if pieces.count == 2 {
            guard let count = number(pieces[1]), count > 0, count < 32_767 else { return nil }
            segment = count
        }
        let words = pieces[0].split(separator: "_", omittingEmptySubsequences: false)
        guard words.count <= 2, let relation = number(words[0]) else { return nil }
        guard words.count == 2 else { return (relation, 0, segment) }
        return forks[words[1]].map { (relation, $0, segment) }
    }

    private static func number(_ digits: Substring) -> UInt32? {
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), digits.first != "0" else {
            return nil
        }
        return UInt32(digits)
    }
}
