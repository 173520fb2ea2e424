import Synchronization

/// A stretch of a tar file in memory, while it is gathered. Workers put pieces into it, each to a place of its own.
@safe final class TarWindow: @unchecked Sendable {
    // Sound: pieces never overlap, `begin` and `withBytes` are called while no walk is under way, and the memory is freed with the
    // object.
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var range = 0..<0

    init(byteCount: Int) {
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 4096)
    }

    deinit { unsafe memory.deallocate() }

    /// Begins a stretch: zeros, but for the headers and the contents that stand in no archive.
    func begin(_ range: Range<Int>, of layout: TarLayout, _ snapshot: Snapshot) {
        self.range = range
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
        for index in layout.entries(in: range) {
            let header = layout.header(of: layout.entries[index])
            unsafe header.withUnsafeBytes { unsafe put($0, at: layout.offsets[index]) }
            guard case .file(let file) = layout.entries[index], let literal = snapshot.files[file].literal else {
                continue
            }
            unsafe literal.withUnsafeBytes { unsafe put($0, at: layout.contents[file]) }
        }
    }

    /// Puts bytes to their place in the tar file, as far as they belong to this stretch.
    func put(_ bytes: UnsafeRawBufferPointer, at place: Int) {
        let low = max(place, range.lowerBound)
        let high = min(place + bytes.count, range.upperBound)
        guard low < high else { return }
        let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[low - place..<high - place])
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[(low - range.lowerBound)...]).copyMemory(from: piece)
    }

    /// Lends the stretch.
    func withBytes(_ body: (RawSpan) async throws -> Void) async throws {
        try await body(unsafe UnsafeRawBufferPointer(rebasing: memory[..<range.count]).bytes)
    }
}

/// Puts the pieces of a snapshot into a window.
struct TarSink: SnapshotSink {
    let layout: TarLayout
    let window: TarWindow

    func piece(_ bytes: UnsafeRawBufferPointer, file: Int, offset: Int) throws {
        unsafe window.put(bytes, at: layout.contents[file] + offset)
    }

    /// Files are proven over all stretches, by `ArchiveOperation`.
    func proven(file: Int, checksum: UInt32) throws {}
}
