import WALFormat

extension Parser {
    /// The write-ahead log, and the headers of incremental files.
    static let wal: [Parser] = [
        Parser(name: "wal-segment") { bytes in
            var reader = WALSegmentReader()
            for page in pages(bytes) {
                do { try unsafe page.withUnsafeBytes { try unsafe reader.consume(page: $0) } } catch { return }
            }
        },
        Parser(name: "wal-blocks") { bytes in
            var reader = BlockMapReader(range: 0..<UInt64.max)
            for page in pages(bytes) {
                do { try unsafe page.withUnsafeBytes { try unsafe reader.consume(page: $0) } } catch { return }
            }
            var merged = BlockMap()
            merged.merge(reader.map)
            require(merged == reader.map, "a block map merged into nothing is another one")
            for fork in reader.map.changed { _ = reader.map[fork]?.chunkNumbers }
        },
        Parser(name: "incremental-header") { bytes in
            let cut = min(bytes.count, Int(bytes.first ?? 0))
            require(
                header(bytes, cut: bytes.count) == header(bytes, cut: cut),
                "the header of an incremental file reads differently in two pieces")
        },
    ]

    private static func pages(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        stride(from: 0, to: bytes.count, by: WALPageHeader.pageByteCount).map {
            bytes[$0..<min(bytes.count, $0 + WALPageHeader.pageByteCount)]
        }
    }

    private static func header(_ bytes: [UInt8], cut: Int) -> IncrementalHeader? {
        var reader = IncrementalHeaderReader()
        do {
            for part in [bytes[..<cut], bytes[cut...]] {
                try unsafe part.withUnsafeBytes { try unsafe reader.consume($0) }
            }
        } catch {
            return nil
        }
        return reader.header
    }
}
