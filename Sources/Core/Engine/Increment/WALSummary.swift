import BackupAPI
import FoundationEssentials
import PostgresClient
import WALFormat

/// What a stretch of the log changes, stored so that it need not be read again.
///
/// It says between which checkpoints it stands. So summaries are put together, and go on in the log, only where the one ends with the
/// checkpoint that the other begins with: a cluster that was restored may have written another log under the same timeline.
struct WALSummary: AuthenticatedText {
    static let kind = "a summary of the log"
    static let info = "pgmoneta-summary-1"
    static let byteLimit = 64 << 20
    /// Most bytes of a map, which Base64 makes longer by a third.
    private static let mapByteLimit = 40 << 20
    /// Bytes of a fork before its chunks, and the fewest of a chunk.
    private static let (forkByteCount, chunkByteCount) = (22, 7)
    private static let wordsPerChunk = Int(ChangedBlocks.chunkBlockCount / 64)
    /// Most changed blocks of a chunk that are written one by one.
    private static let listedLimit = 127

    /// The record of a checkpoint.
    struct Checkpoint: Sendable, Hashable, Codable {
        var position: LSN
        var checksum: UInt32

        init(position: LSN, checksum: UInt32) {
            self.position = position
            self.checksum = checksum
        }

        init(_ checkpoint: BlockMapReader.Checkpoint) {
            self.init(position: LSN(checkpoint.position), checksum: checkpoint.checksum)
        }
    }

    var format = Layout.formatVersion
    var server: String
    var timeline: UInt32
    var from: LSN
    var to: LSN
    /// The checkpoints from which recovery begins at `from` and `to`.
    var beginning: Checkpoint
    var ending: Checkpoint
    /// The changed blocks (docs/FORMAT.md, "Summaries"), in Base64.
    var blocks: Data
    /// SHA-256 of these bytes, in lower-case hexadecimal.
    var sha256: String
    var key: String?
    var authentication = ""

    /// The bytes of a map, the same for the same map; nil when they would be too many.
    static func bytes(of map: BlockMap) -> [UInt8]? {
        var writer = ByteWriter()
        let forks = map.changed.sorted {
            ($0.tablespace, $0.database, $0.relation, $0.fork) < ($1.tablespace, $1.database, $1.relation, $1.fork)
        }
        writer.append(UInt32(forks.count))
        for fork in forks {
            guard let changes = map[fork] else { continue }
            writer.append(fork.tablespace)
            writer.append(fork.database)
            writer.append(fork.relation)
            writer.append(fork.fork)
            writer.append(UInt8(changes.limit == nil ? 0 : 1))
            writer.append(changes.limit ?? 0)
            let numbers = changes.chunkNumbers
            writer.append(UInt32(numbers.count))
            for number in numbers {
                append(changes.bits(inChunk: number), number, to: &writer)
                guard writer.bytes.count <= mapByteLimit else { return nil }
            }
        }
        return writer.bytes
    }

    private static func append(_ words: [UInt64], _ number: UInt32, to writer: inout ByteWriter) {
        writer.append(number)
        let count = words.reduce(0) { $0 + $1.nonzeroBitCount }
        guard count <= listedLimit else {
            writer.append(UInt8(255))
            for word in words { writer.append(word) }
            return
        }
        writer.append(UInt8(count))
        for (index, word) in words.enumerated() {
            for bit in 0..<64 where word >> UInt64(bit) & 1 != 0 { writer.append(UInt16(index * 64 + bit)) }
        }
    }

    /// The map that some bytes are; nil when they are none.
    static func map(from bytes: [UInt8]) -> BlockMap? {
        var reader = ByteReader(bytes)
        var map = BlockMap()
        do {
            for _ in 0..<(try reader.count(minimumByteCount: forkByteCount)) {
                let fork = RelationFork(
                    tablespace: try reader.number(), database: try reader.number(), relation: try reader.number(),
                    fork: try reader.number())
                let isCut = try reader.number(UInt8.self) != 0
                let limit = try reader.number(UInt32.self)
                if isCut { map.cut(fork, to: limit) }
                for _ in 0..<(try reader.count(minimumByteCount: chunkByteCount)) {
                    for block in try chunk(&reader) { map.mark(fork, block) }
                }
            }
        } catch {
            return nil
        }
        return reader.remaining == 0 ? map : nil
    }

    /// The blocks of a chunk: at most as many as it has, however few bytes they take.
    private static func chunk(_ reader: inout ByteReader) throws(ByteReader.Truncated) -> [UInt32] {
        let number = try reader.number(UInt32.self)
        let (first, isOver) = number.multipliedReportingOverflow(by: ChangedBlocks.chunkBlockCount)
        guard !isOver else { throw ByteReader.Truncated(offset: reader.offset) }
        let count = Int(try reader.number(UInt8.self))
        var blocks: [UInt32] = []
        if count <= listedLimit {
            for _ in 0..<count {
                blocks.append(first + UInt32(try reader.number(UInt16.self)) % ChangedBlocks.chunkBlockCount)
            }
            return blocks
        }
        for index in 0..<wordsPerChunk {
            let word = try reader.number(UInt64.self)
            for bit in 0..<64 where word >> UInt64(bit) & 1 != 0 { blocks.append(first + UInt32(index * 64 + bit)) }
        }
        return blocks
    }
}
