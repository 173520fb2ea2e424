import BackupAPI
import Glibc

/// Reads a file from front to back. A committed file never changes, so its size is asked once.
///
/// `@unchecked Sendable`: one task uses it at a time, as `ObjectReader` says.
final class LocalSource: ObjectReader, @unchecked Sendable {
    private let translate: @Sendable (SystemFault) -> StorageError
    /// Nil after `close`.
    private var file: Descriptor?
    private var offset: Int
    private let end: Int

    /// Takes an open file.
    /// - Throws: `ENOENT` when it is no regular file, and so no object.
    init(
        _ file: consuming Descriptor, range: ByteRange?, translate: @escaping @Sendable (SystemFault) -> StorageError
    ) throws(SystemFault) {
        let status = try file.look()
        guard status.kind == .file else { throw SystemFault(ENOENT) }
        offset = min(range?.offset ?? 0, status.byteCount)
        end = min(range?.end ?? status.byteCount, status.byteCount)
        // Only advice; a file system that does not take it reads all the same.
        _ = posix_fadvise(file.number, offset, end - offset, POSIX_FADV_SEQUENTIAL)
        self.file = consume file
        self.translate = translate
    }

    func read(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int {
        if Task.isCancelled { throw translate(SystemFault(ECANCELED)) }
        guard let number = descriptorNumber else { return 0 }
        let room = min(buffer.freeCapacity, end - offset)
        guard room > 0 else { return 0 }
        do throws(SystemFault) {
            let count = try fill(&buffer, room: room, from: number)
            offset += count
            return count
        } catch {
            throw translate(error)
        }
    }

    func close() async { file = nil }

    private var descriptorNumber: Int32? {
        switch file {
        case .some(let file): file.number
        case nil: nil
        }
    }

    private func fill(_ buffer: inout OutputRawSpan, room: Int, from number: Int32) throws(SystemFault) -> Int {
        // Sound: pread(2) writes at most `room` bytes, which is at most the free capacity behind the first `filled` bytes.
        try unsafe buffer.withUnsafeMutableBytes {
            (bytes: UnsafeMutableRawBufferPointer, filled: inout Int) throws(SystemFault) -> Int in
            let start = unsafe bytes.baseAddress.map { unsafe $0 + filled }
            let count = try uninterrupted { unsafe pread(number, start, room, offset) }
            // A file that was cut short by somebody else is not what was stored.
            guard count > 0 else { throw SystemFault(EIO) }
            filled += count
            return count
        }
    }
}
