import BackupAPI
import Glibc

/// Writes a temporary file and puts it in place at commit.
///
/// The temporary is locked as long as it is written, so that a sweep can tell it from those of dead processes: the kernel
/// ends a lock with its process, even after `kill -9`.
///
/// `@unchecked Sendable`: one task uses it at a time, as `UploadDriver` says.
final class LocalSink: UploadDriver, @unchecked Sendable {
    /// Pieces of at least so many bytes are written at once; smaller ones are gathered.
    private static let directByteCount = 256 << 10
    /// Room to gather small pieces.
    private static let gatherByteCount = 1 << 20
    /// The disk is given work in runs of so many bytes. If all of a volume waited for the commit, everything before it would
    /// stand still for as long as the disk takes.
    private static let writebackByteCount = 8 << 20

    /// An open temporary and its folder.
    private struct Temporary: ~Copyable {
        let file: Descriptor
        let folder: Descriptor
        let name: String
    }

    private let tree: LocalTree
    private let key: ObjectKey
    private let folderComponents: [Substring]
    private let ifAbsent: Bool
    private let expectedByteCount: Int?
    private let translate: @Sendable (SystemFault, StorageError.Operation) -> StorageError
    /// Nil after the end.
    private var temporary: Temporary?
    private var gathered: [UInt8] = []
    private var writtenByteCount = 0
    /// Up to where the disk has begun.
    private var begunByteCount = 0

    /// Makes the temporary, and the folders above it.
    /// - Throws: `EEXIST` when only a new object is wanted and there is one already.
    init(
        tree: LocalTree, key: ObjectKey, options: WriteOptions,
        translate: @escaping @Sendable (SystemFault, StorageError.Operation) -> StorageError
    ) throws(SystemFault) {
        self.tree = tree
        self.key = key
        self.translate = translate
        ifAbsent = options.ifAbsent
        expectedByteCount = options.expectedByteCount
        folderComponents = key.components.dropLast()
        temporary = try tree.withNewFolder(folderComponents) { (folder) throws(SystemFault) in
            if options.ifAbsent, (try? folder.look(at: key.name)) != nil { throw SystemFault(EEXIST) }
            return try LocalSink.makeTemporary(in: folder)
        }
    }

    deinit { discard() }

    func write(_ bytes: RawSpan) async throws(StorageError) {
        do throws(SystemFault) {
            if Task.isCancelled { throw SystemFault(ECANCELED) }
            try take(bytes)
        } catch {
            throw translate(error, .write)
        }
    }

    func commit() async throws(StorageError) {
        do throws(SystemFault) {
            try flush()
            try putInPlace()
        } catch {
            discard()
            throw translate(error, .commit)
        }
        temporary = nil
    }

    func abort() async { discard() }

    private func take(_ bytes: RawSpan) throws(SystemFault) {
        if bytes.byteCount + gathered.count > LocalSink.gatherByteCount || bytes.byteCount >= LocalSink.directByteCount
        {
            try flush()
        }
        // Sound: the bytes are written or copied before the closure ends.
        try unsafe bytes.withUnsafeBytes { (bytes) throws(SystemFault) in
            if bytes.count >= LocalSink.directByteCount {
                try unsafe write(bytes)
            } else {
                if gathered.capacity == 0 {
                    gathered.reserveCapacity(
                        max(bytes.count, min(expectedByteCount ?? .max, LocalSink.gatherByteCount)))
                }
                unsafe gathered.append(contentsOf: bytes)
            }
        }
    }

    private func flush() throws(SystemFault) {
        // Sound: the bytes are written before the closure ends.
        let whole = gathered
        try unsafe whole.span.bytes.withUnsafeBytes { (bytes) throws(SystemFault) in try unsafe write(bytes) }
        gathered.removeAll(keepingCapacity: true)
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(SystemFault) {
        switch temporary {
        case .some(let temporary):
            try unsafe temporary.file.write(bytes)
            writtenByteCount += bytes.count
            let waiting = writtenByteCount - begunByteCount
            guard waiting >= LocalSink.writebackByteCount else { return }
            temporary.file.beginWriteback(offset: begunByteCount, count: waiting)
            begunByteCount = writtenByteCount
        case nil: throw SystemFault(EBADF)
        }
    }

    /// Bytes first, then the name, then the folder that holds the name: after each step a power cut leaves the old object
    /// or none, and after the last one the new object.
    private func putInPlace() throws(SystemFault) {
        switch temporary {
        case .some(let temporary):
            try tree.makeDurable(folderComponents, temporary.folder)
            try temporary.file.syncBytes()
            if ifAbsent {
                try LocalSink.link(temporary.folder, temporary.name, as: key.name)
            } else {
                try temporary.folder.rename(temporary.name, to: key.name)
            }
            try temporary.folder.sync()
        case nil: throw SystemFault(EBADF)
        }
    }

    private func discard() {
        switch temporary {
        case .some(let temporary): try? temporary.folder.remove(temporary.name)
        case nil: return
        }
        temporary = nil
        tree.removeEmptyFolders(folderComponents)
    }

    private static func link(_ folder: borrowing Descriptor, _ name: String, as newName: String) throws(SystemFault) {
        do throws(SystemFault) {
            try folder.link(name, as: newName)
        } catch {
            // link(2): EPERM when the file system has no hard links; the file is our own, so it is nothing else.
            throw error.code == EPERM ? SystemFault(EOPNOTSUPP) : error
        }
        // Left behind by a fault here, it is swept later; the object is not touched by that.
        try? folder.remove(name)
    }

    private static func makeTemporary(in folder: borrowing Descriptor) throws(SystemFault) -> Temporary {
        while true {
            let name = LocalTemporary.newName()
            let file: Descriptor
            do throws(SystemFault) {
                file = try folder.newFile(name)
            } catch {
                if error.code == EEXIST { continue }
                throw error
            }
            // Between making and locking, a sweep may take it for a dead one and remove it.
            _ = file.lock(waits: true)
            if try file.look().nameCount == 0 { continue }
            return Temporary(file: file, folder: try folder.folder("."), name: name)
        }
    }
}
