import BackupAPI
import Glibc

/// Writes a version and makes it the object at commit.
///
/// The folder of the version is locked as long as it is written, so that a sweep does not take it for a dead one.
/// `@unchecked Sendable`: one task uses it at a time, as `UploadDriver` says.
final class ChunkSink: UploadDriver, @unchecked Sendable {
    private let layout: ChunkLayout
    private let key: ObjectKey
    private let ifAbsent: Bool
    private let target: String
    private let version: String
    private let lock: Int32
    private var chunk: [UInt8] = []
    private var chunkCount = 0
    private var byteCount = 0
    private var hasEnded = false

    /// Makes the folder of a new version, and those above it.
    init(_ layout: ChunkLayout, _ key: ObjectKey, ifAbsent: Bool, target: String) throws(FileFault) {
        self.layout = layout
        self.key = key
        self.ifAbsent = ifAbsent
        self.target = target
        (version, lock) = try ChunkSink.makeVersion(layout, key)
    }

    deinit { end() }

    func write(_ bytes: RawSpan) async throws(StorageError) {
        do throws(FileFault) {
            var rest = bytes
            while rest.byteCount > 0 {
                let room = ChunkLayout.chunkByteCount - chunk.count
                rest.extracting(first: room).withUnsafeBytes { chunk.append(contentsOf: $0) }
                rest = rest.extracting(droppingFirst: min(room, rest.byteCount))
                if chunk.count == ChunkLayout.chunkByteCount { try endChunk() }
            }
        } catch {
            throw ChunkErrors.error(error, .write, key, target: target)
        }
    }

    func commit() async throws(StorageError) {
        do throws(FileFault) {
            if !chunk.isEmpty { try endChunk() }
            try putInPlace()
        } catch {
            end()
            throw ChunkErrors.error(error, .commit, key, target: target)
        }
        hasEnded = true
        Glibc.close(lock)
    }

    func abort() async { end() }

    private var path: String { layout.versionPath(version, of: key) }

    private func endChunk() throws(FileFault) {
        try Files.write(chunk, to: "\(path)/\(chunkCount)")
        chunkCount += 1
        byteCount += chunk.count
        chunk.removeAll(keepingCapacity: true)
    }

    /// First everything that the manifest will name, then the manifest in one step, then the folder that holds its name.
    private func putInPlace() throws(FileFault) {
        try Files.write(Array("\(version) \(byteCount)".utf8), to: path + "/manifest")
        try FileFault.check(fsync(lock))
        for folder in layout.folders(of: key) { try Files.sync(folder) }
        let place = layout.manifestPath(of: key)
        let old = try? layout.manifest(of: key)
        if ifAbsent {
            // link(2) is decided by the kernel: of several, one succeeds and the others get EEXIST.
            try FileFault.check(link(path + "/manifest", place))
        } else {
            try FileFault.check(rename(path + "/manifest", place))
        }
        try Files.sync(layout.folder(of: key))
        if let old { Files.removeFolder(layout.versionPath(old.version, of: key)) }
    }

    private func end() {
        if hasEnded { return }
        hasEnded = true
        Files.removeFolder(path)
        Glibc.close(lock)
        layout.removeEmptyFolders(of: key)
    }

    private static func makeVersion(_ layout: ChunkLayout, _ key: ObjectKey) throws(FileFault) -> (String, Int32) {
        let version = "v." + String(UInt64.random(in: .min ... .max), radix: 36)
        let path = layout.versionPath(version, of: key)
        while true {
            do throws(FileFault) {
                for folder in layout.folders(of: key) where access(folder, F_OK) != 0 {
                    do throws(FileFault) {
                        try Files.makeFolder(folder)
                    } catch  where error.code == EEXIST {}
                }
                try Files.makeFolder(path)
                let lock = try FileFault.check(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
                flock(lock, LOCK_EX)
                if access(path, F_OK) == 0 { return (version, lock) }
                Glibc.close(lock)
            } catch {
                // A delete or a sweep may have removed a folder that was empty for a moment: again, unless even the
                // folder that the root lies in is not there.
                guard error.code == ENOENT, access(layout.root + "/..", F_OK) == 0 else { throw error }
            }
        }
    }
}
