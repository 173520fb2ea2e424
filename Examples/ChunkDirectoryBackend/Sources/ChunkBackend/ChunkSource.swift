import BackupAPI
import Glibc

/// Reads chunk after chunk.
///
/// `@unchecked Sendable`: one task uses it at a time, as `ObjectReader` says.
final class ChunkSource: ObjectReader, @unchecked Sendable {
    private let layout: ChunkLayout
    private let key: ObjectKey
    private let target: String
    private let range: ByteRange
    private var manifest: ChunkManifest
    private var offset: Int
    /// The open chunk.
    private var chunk: (index: Int, file: Int32)?

    /// Prepares to read an object, or a run of it.
    init(_ layout: ChunkLayout, _ key: ObjectKey, manifest: ChunkManifest, range: ByteRange?, target: String) {
        self.layout = layout
        self.key = key
        self.manifest = manifest
        self.target = target
        self.range = range ?? ByteRange(offset: 0, count: .max)
        offset = self.range.offset
    }

    deinit { closeChunk() }

    func read(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int {
        do throws(FileFault) {
            while true {
                do throws(FileFault) {
                    return try fill(&buffer)
                } catch  where error.code == ENOENT {
                    try findAgain()
                }
            }
        } catch {
            throw ChunkErrors.error(error, .read, key, target: target)
        }
    }

    func close() async { closeChunk() }

    private func fill(_ buffer: inout OutputRawSpan) throws(FileFault) -> Int {
        let index = offset / ChunkLayout.chunkByteCount
        let chunkEnd = (index + 1) * ChunkLayout.chunkByteCount
        let room = min(buffer.freeCapacity, min(chunkEnd, manifest.byteCount, range.end) - offset)
        if room <= 0 { return 0 }
        let file = try open(index)
        let start = offset % ChunkLayout.chunkByteCount
        let count = buffer.withUnsafeMutableBytes { (bytes: UnsafeMutableRawBufferPointer, filled: inout Int) in
            let count = pread(file, bytes.baseAddress.map { $0 + filled }, room, start)
            filled += max(0, count)
            return count
        }
        if count < 0 { throw FileFault(code: errno) }
        // Shorter than the manifest says: damaged.
        if count == 0 { throw FileFault(code: EBADMSG) }
        offset += count
        return count
    }

    private func open(_ index: Int) throws(FileFault) -> Int32 {
        if let chunk, chunk.index == index { return chunk.file }
        closeChunk()
        let path = "\(layout.versionPath(manifest.version, of: key))/\(index)"
        let file = try FileFault.check(Glibc.open(path, O_RDONLY | O_CLOEXEC))
        chunk = (index, file)
        return file
    }

    /// A chunk is gone: the object was replaced or deleted. Before the first byte the new version can be read instead.
    private func findAgain() throws(FileFault) {
        let found = try layout.manifest(of: key)
        if found.version == manifest.version { throw FileFault(code: EBADMSG) }
        if offset != range.offset { throw FileFault(code: ESTALE) }
        manifest = found
    }

    private func closeChunk() {
        if let chunk { Glibc.close(chunk.file) }
        chunk = nil
    }
}
