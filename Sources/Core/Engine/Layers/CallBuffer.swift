import BackupAPI

/// Memory that belongs to calls and not to their caller, so that a caller need not wait for a call that hangs.
///
/// One task at a time uses it: the caller before and after a call, the call's task meanwhile; after a call that was left, only
/// that call's task.
@safe final class CallBuffer: @unchecked Sendable {
    /// Most bytes that a buffer holds; larger chunks are passed on in several calls.
    static let largestByteCount = 1 << 20
    private static let smallestByteCount = 64 << 10

    // Sound: allocated once, freed with the object, used by one task at a time.
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    private init(capacity: Int) {
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 4096)
    }

    deinit { unsafe memory.deallocate() }

    /// A buffer for chunks of so many bytes: the one at hand where it will do, else a new one.
    static func fitting(_ byteCount: Int, reusing buffer: CallBuffer?) -> CallBuffer {
        let wanted = min(byteCount, largestByteCount)
        if let buffer, buffer.capacity >= wanted { return buffer }
        return CallBuffer(capacity: wanted > smallestByteCount ? largestByteCount : smallestByteCount)
    }

    private var capacity: Int { unsafe memory.count }

    /// Replaces its bytes by as many of `bytes` as there is room for, from `offset` on.
    /// - Returns: how many were taken.
    func load(_ bytes: RawSpan, from offset: Int) -> Int {
        count = min(capacity, bytes.byteCount - offset)
        unsafe bytes.extracting(offset..<offset + count).withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
        return count
    }

    /// Replaces its bytes by what a reader gives, at most `room`.
    func read(from reader: any ObjectReader, room: Int) async throws(StorageError) -> Int {
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[..<min(room, memory.count)])
        var span = unsafe OutputRawSpan(buffer: part, initializedCount: 0)
        let told = try await reader.read(into: &span)
        count = unsafe span.finalize(for: part)
        return told
    }

    /// Hands its bytes to an upload.
    func write(to driver: any UploadDriver) async throws(StorageError) {
        // Sound: the span does not outlive the call.
        try await driver.write(unsafe UnsafeRawBufferPointer(rebasing: memory[..<count]).bytes)
    }

    /// Appends its bytes to `buffer`, which has room for them.
    func unload(into buffer: inout OutputRawSpan) {
        // Sound: at most as many bytes are copied as the buffer has room for behind its first `filled` bytes.
        unsafe buffer.withUnsafeMutableBytes { (bytes: UnsafeMutableRawBufferPointer, filled: inout Int) in
            let taken = min(count, bytes.count - filled)
            unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: memory[..<taken]))
            filled += taken
        }
    }

    /// Its bytes, for small ones.
    var bytes: [UInt8] { unsafe Array(memory[..<count]) }
}
