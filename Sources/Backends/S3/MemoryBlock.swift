import Glibc

/// A run of bytes outside of Swift's arrays, so that libcurl can point into it. It keeps its memory when it is emptied.
///
/// One task or thread uses it at a time: it is handed from the writer to the thread that sends it, and back.
@safe final class MemoryBlock: @unchecked Sendable {
    /// How many bytes it holds.
    private(set) var count = 0
    private var memory: UnsafeMutableRawBufferPointer

    /// Makes an empty block with room for `capacity` bytes.
    init(capacity: Int = 0) {
        unsafe memory = .allocate(byteCount: max(capacity, 16), alignment: 16)
    }

    /// Makes a block of these bytes.
    convenience init(_ bytes: [UInt8]) {
        self.init(capacity: bytes.count)
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    deinit { unsafe memory.deallocate() }

    /// The bytes that it holds; valid until it is changed or gone.
    @unsafe var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: memory[..<count]) }

    /// Copies bytes to the end; the room is doubled when there is not enough.
    @unsafe func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        if unsafe count + bytes.count > memory.count { unsafe reserve(max(count + bytes.count, memory.count * 2)) }
        // Sound: `reserve` made room for them, and nobody else uses the block now.
        guard let base = unsafe memory.baseAddress else { return }
        unsafe (base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    /// Copies bytes to the end.
    func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    /// Makes room for `capacity` bytes in all.
    func reserve(_ capacity: Int) {
        guard unsafe capacity > memory.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
        unsafe larger.copyMemory(from: bytes)
        unsafe memory.deallocate()
        unsafe memory = larger
    }

    /// Makes room for `capacity` bytes, and for some more if that is not too much, so that it is not made often.
    func grow(toHold capacity: Int, atMost limit: Int) {
        guard unsafe capacity > memory.count else { return }
        reserve(max(capacity, min(limit, unsafe memory.count * 2)))
    }

    /// Forgets the bytes and keeps the memory.
    func removeAll() { count = 0 }
}
