import BackupAPI

extension ConformanceBench {
    /// Checks `round-trip`: sizes, sizes of pieces, wrong hints of size, ranges, and small buffers.
    func checkRoundTrip() async throws {
        for (index, byteCount) in [0, 1, 65_535, 1_048_577].enumerated() {
            try await roundTrip("size-\(byteCount)", byteCount, seed: UInt64(index), piece: 1 << 20, hint: byteCount)
        }
        let large = options.largestByteCount
        try await roundTrip("large-pieces", large, seed: 10, piece: 4 << 20, hint: large)
        try await roundTrip("small-pieces", min(large, 3 << 20) + 1, seed: 11, piece: 1000, hint: nil)
        try await roundTrip("hint-too-small", 300_000, seed: 12, piece: 70_000, hint: 10)
        try await roundTrip("hint-too-large", 70_001, seed: 13, piece: 7_000, hint: large)
        try await checkEmptyWrites()
        try await checkRanges()
        try await checkSmallBuffers()
    }

    private func roundTrip(_ name: String, _ byteCount: Int, seed: UInt64, piece: Int, hint: Int?) async throws {
        let key = try key(name)
        let bytes = Sample.bytes(byteCount, seed: seed)
        try await write(bytes, to: key, options: WriteOptions(expectedByteCount: hint), pieceByteCount: piece)
        let stored = try await read(key)
        try require(stored == bytes, "'\(name)' reads back as \(Sample.difference(stored, bytes))")
        let told = try await backend.stat(key).byteCount
        try require(told == byteCount, "stat says \(told) bytes for '\(name)' of \(byteCount)")
    }

    private func checkEmptyWrites() async throws {
        let key = try key("empty-writes")
        let bytes = Sample.bytes(1000, seed: 20)
        try await backend.put(key) { upload in
            try await upload.write([])
            try await upload.write(Array(bytes[..<500]))
            try await upload.write([])
            try await upload.write(Array(bytes[500...]))
            try await upload.write([])
        }
        let stored = try await read(key)
        try require(stored == bytes, "empty writes between others give \(Sample.difference(stored, bytes))")
    }

    private func checkRanges() async throws {
        let key = try key("ranges")
        let count = 200_001
        let bytes = Sample.bytes(count, seed: 30)
        try await write(bytes, to: key)
        let ranges = [
            ByteRange(offset: 0, count: 1), ByteRange(offset: 0, count: count), ByteRange(offset: 0, count: 65_536),
            ByteRange(offset: 1, count: 65_536), ByteRange(offset: 65_535, count: 2),
            ByteRange(offset: 100_000, count: 100_001), ByteRange(offset: count - 1, count: 1),
            ByteRange(offset: count - 1, count: 100), ByteRange(offset: 5, count: Int.max),
            ByteRange(offset: 7, count: 0),
        ]
        for range in ranges {
            let expected = Array(bytes[range.offset..<min(count, range.end)])
            let found = try await read(key, range: range)
            try require(
                found == expected,
                "the run of \(range.count) bytes at \(range.offset) gives \(Sample.difference(found, expected))")
        }
    }

    private func checkSmallBuffers() async throws {
        let key = try key("small-buffers")
        let bytes = Sample.bytes(5_000, seed: 40)
        try await write(bytes, to: key)
        for room in [1, 7, 4_096] {
            let found = try await readInto(roomOf: room, key)
            try require(found == bytes, "reading \(room) bytes at a time gives \(Sample.difference(found, bytes))")
        }
        let reader = try await backend.openRead(key, range: nil)
        let first = try await reader.chunk(0)
        try require(first.isEmpty, "a buffer without room gets \(first.count) bytes")
        let second = try await reader.chunk(10)
        try require(!second.isEmpty && bytes.starts(with: second), "a read behind one without room gives other bytes")
        await reader.close()
    }

    private func readInto(roomOf room: Int, _ key: ObjectKey) async throws -> [UInt8] {
        let reader = try await backend.openRead(key, range: nil)
        var found: [UInt8] = []
        while true {
            let chunk = try await reader.chunk(room)
            if chunk.isEmpty { break }
            found += chunk
        }
        await reader.close()
        return found
    }
}

extension ObjectReader {
    /// Reads at most `room` bytes behind a byte that is in the buffer already and must stay as it is.
    func chunk(_ room: Int) async throws -> [UInt8] {
        let mark: UInt8 = 0xA5
        // Sound: the buffer lives until the end of the scope, and the span does not leave it.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room + 1, alignment: 1)
        defer { unsafe buffer.deallocate() }
        var span = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
        unsafe span.append(mark, as: UInt8.self)
        let count = try await read(into: &span)
        let filled = unsafe span.finalize(for: buffer)
        guard filled == count + 1 else {
            throw LawViolation(words: "read says \(count) bytes and appends \(filled - 1)")
        }
        let first = unsafe buffer[0]
        guard first == mark else { throw LawViolation(words: "read overwrites what the buffer held") }
        return unsafe Array(buffer[1..<filled])
    }
}
