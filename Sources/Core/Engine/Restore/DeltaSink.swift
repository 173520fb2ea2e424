import Glibc

/// Writes into files that are there, but only the blocks that differ.
final class DeltaSink: SnapshotSink {
    private static let blockByteCount = 8192
    private let sink: DirectorySink

    /// - Parameter sink: what writes the blocks.
    init(sink: DirectorySink) { self.sink = sink }

    func piece(_ bytes: UnsafeRawBufferPointer, file: Int, offset: Int) throws {
        // Sound: what is read fills the front of the buffer, and only that is compared.
        try unsafe withUnsafeTemporaryAllocation(byteCount: min(bytes.count, 1 << 20), alignment: 4096) { buffer in
            var done = 0
            while done < bytes.count {
                let part = unsafe UnsafeRawBufferPointer(
                    rebasing: bytes[done..<min(bytes.count, done + buffer.count)])
                let there = try unsafe sink.read(into: buffer, file: file, offset: offset + done)
                try unsafe write(part, unlike: UnsafeRawBufferPointer(rebasing: buffer[..<there]), file, offset + done)
                done += part.count
            }
        }
    }

    /// Writes runs of blocks that are not what is there.
    private func write(
        _ bytes: UnsafeRawBufferPointer, unlike there: UnsafeRawBufferPointer, _ file: Int, _ offset: Int
    ) throws {
        guard let new = bytes.baseAddress else { return }
        var first: Int?
        for start in stride(from: 0, to: bytes.count, by: Self.blockByteCount) {
            let end = min(bytes.count, start + Self.blockByteCount)
            var isEqual = false
            if there.count >= end, let old = there.baseAddress {
                isEqual = unsafe memcmp(new + start, old + start, end - start) == 0
            }
            if isEqual, let from = first {
                try unsafe sink.piece(
                    UnsafeRawBufferPointer(rebasing: bytes[from..<start]), file: file, offset: offset + from)
                first = nil
            } else if !isEqual, first == nil {
                first = start
            }
        }
        if let from = first {
            try unsafe sink.piece(UnsafeRawBufferPointer(rebasing: bytes[from...]), file: file, offset: offset + from)
        }
    }

    func proven(file: Int, checksum: UInt32) throws { try sink.proven(file: file, checksum: checksum) }
}
