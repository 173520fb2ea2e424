import BackupAPI
import Synchronization

/// Collects an object and puts it in place at commit. The lock is for `Sendable` only: one task uses it.
final class MemorySink: UploadDriver {
    private let place: MemoryBackend
    private let key: ObjectKey
    private let ifAbsent: Bool
    /// Nil after the end.
    private let bytes = Mutex<[UInt8]?>([])

    /// Begins an object.
    init(place: MemoryBackend, key: ObjectKey, ifAbsent: Bool) {
        self.place = place
        self.key = key
        self.ifAbsent = ifAbsent
        place.state.withLock { $0.unfinishedCount += 1 }
    }

    deinit { _ = end() }

    func write(_ more: RawSpan) async throws(StorageError) {
        // Sound: the bytes are copied before the closure ends.
        let copy = unsafe more.withUnsafeBytes { unsafe Array($0) }
        bytes.withLock { $0?.append(contentsOf: copy) }
    }

    func commit() async throws(StorageError) {
        guard let bytes = end() else { throw place.error(.failed, .commit, key) }
        let isRefused = place.state.withLock { state in
            if state.objects[key] == nil {
                state.keys.insert(key, at: MemoryListing.index(of: key.string, in: state.keys))
            } else if ifAbsent {
                return true
            }
            state.objects[key] = bytes
            return false
        }
        if isRefused { throw place.error(.alreadyExists, .commit, key) }
    }

    func abort() async { _ = end() }

    /// Takes the bytes out, once.
    private func end() -> [UInt8]? {
        let taken = bytes.withLock { bytes in
            defer { bytes = nil }
            return bytes
        }
        if taken != nil { place.state.withLock { $0.unfinishedCount -= 1 } }
        return taken
    }
}

/// Reads the object that was there when it was opened, whatever replaces it since.
final class MemorySource: ObjectReader {
    private let rest: Mutex<ArraySlice<UInt8>>

    /// Opens a run of bytes.
    init(_ bytes: ArraySlice<UInt8>) { rest = Mutex(bytes) }

    func read(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int {
        let room = buffer.freeCapacity
        let chunk = rest.withLock { rest in
            let chunk = rest.prefix(room)
            rest = rest.dropFirst(room)
            return chunk
        }
        // Sound: at most as many bytes are copied as the buffer has room for behind its first `count` bytes.
        unsafe buffer.withUnsafeMutableBytes { (bytes: UnsafeMutableRawBufferPointer, count: inout Int) in
            unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyBytes(from: chunk)
            count += chunk.count
        }
        return chunk.count
    }

    func close() async {}
}
