import CEngine
package import BackupAPI

/// A block of memory that is reused: one frame's plain or stored bytes.
///
/// One task at a time holds a buffer; it travels through mailboxes from stage to stage and back to its pool.
@safe package final class FrameBuffer: @unchecked Sendable {
    // Sound: the memory is allocated once and freed with the object; who holds the frame has it alone.
    private let memory: UnsafeMutableRawBufferPointer
    /// How many bytes from the front are filled.
    package private(set) var count = 0

    /// Bytes it can hold.
    package var capacity: Int { unsafe memory.count }

    /// Room behind the filled bytes.
    package var room: Int { unsafe memory.count - count }

    /// Allocates memory aligned to a page, so that it can be written past the page cache.
    package init(capacity: Int) {
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 4096)
    }

    deinit { unsafe memory.deallocate() }

    /// Forgets the bytes.
    package func clear() { count = 0 }

    /// Appends as many of `bytes` as there is room for, from `offset` on.
    /// - Returns: how many were taken.
    package func append(_ bytes: RawSpan, from offset: Int) -> Int {
        let taken = min(room, bytes.byteCount - offset)
        guard taken > 0 else { return 0 }
        unsafe bytes.withUnsafeBytes { source in
            let piece = unsafe UnsafeRawBufferPointer(rebasing: source[offset..<offset + taken])
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: piece)
        }
        count += taken
        return taken
    }

    /// Lets `body` append bytes behind the filled ones.
    package func fill<Result, Failure: Error>(
        _ body: (inout OutputRawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...])
        var span = unsafe OutputRawSpan(buffer: rest, initializedCount: 0)
        let result = try body(&span)
        count += unsafe span.finalize(for: rest)
        return result
    }

    /// Lets `body` append bytes behind the filled ones, waiting for them.
    /// - Parameter limit: the most bytes that are filled afterwards; nil for all there is room for.
    package func fill<Result>(
        upTo limit: Int? = nil, _ body: (inout OutputRawSpan) async throws -> Result
    ) async throws -> Result {
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count..<(limit ?? memory.count)])
        var span = unsafe OutputRawSpan(buffer: rest, initializedCount: 0)
        let result = try await body(&span)
        count += unsafe span.finalize(for: rest)
        return result
    }

    /// Lends the filled bytes.
    package func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(unsafe UnsafeRawBufferPointer(rebasing: memory[..<count]).bytes)
    }

    /// Lends the filled bytes while waiting.
    package func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await body(unsafe UnsafeRawBufferPointer(rebasing: memory[..<count]).bytes)
    }

    /// A copy of the filled bytes, for small ones.
    package var bytes: [UInt8] { unsafe Array(memory[..<count]) }

    /// Reads from `reader` until `count` bytes are filled.
    /// - Throws: `.objectDamaged` when the object ends before.
    package func fillUp(to wanted: Int, from reader: any ObjectReader, path: String) async throws {
        while count < wanted {
            let got = try await fill(upTo: wanted) { room in try await reader.read(into: &room) }
            if got == 0 { throw EngineError(.objectDamaged, "'\(path)' ends too early") }
        }
    }

    /// CRC-32C of the filled bytes.
    package var checksum: UInt32 { unsafe pgm_crc32c(0, memory.baseAddress, count) }

    /// Lends the filled bytes as the C world knows them; the pointer must not leave `body`.
    package func withUnsafeFilledBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }
}
