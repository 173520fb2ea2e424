import BackupAPI
import BackupConformance
import Synchronization

/// An upload that does one thing wrong.
final class BrokenSink: UploadDriver {
    private let inner: any UploadDriver
    private let place: BrokenBackend
    private let key: ObjectKey
    private let hint: Int?
    private let bytes = Mutex<[UInt8]>([])
    private let hasEnded = Mutex(false)

    init(_ inner: any UploadDriver, place: BrokenBackend, key: ObjectKey, hint: Int?) {
        self.inner = inner
        self.place = place
        self.key = key
        self.hint = hint
    }

    deinit {
        if place.flaw == .dropLeavesObject, !hasEnded.withLock({ $0 }) { plant() }
    }

    func write(_ span: RawSpan) async throws(StorageError) {
        let more = unsafe span.withUnsafeBytes { unsafe Array($0) }
        bytes.withLock { $0 += more }
        switch place.flaw {
        case .showsUploads: plant()
        case .replacesInPlace where place.inner.contents[key] != nil: plant()
        case .sharesBuffer:
            place.sharedBytes.withLock { $0 += more }
            await Task.yield()
        case .listsTemporaries:
            if let key = try? ObjectKey(key.string + ".part") { place.inner.plant(more, at: key) }
        default: break
        }
    }

    func commit() async throws(StorageError) {
        hasEnded.withLock { $0 = true }
        var whole = bytes.withLock { $0 }
        switch place.flaw {
        case .losesLastByte: whole = whole.dropLast()
        case .trustsSizeHint: whole = Array(whole.prefix(hint ?? whole.count))
        case .sharesBuffer:
            whole = place.sharedBytes.withLock { bytes in
                defer { bytes = [] }
                return bytes
            }
        case .replacesInTwoSteps where place.inner.contents[key] != nil:
            _ = try await place.inner.delete([key])
            // Readers that wait for their turn get it now.
            for _ in 0..<1000 { await Task.yield() }
        case .keepsOldTail: whole += place.inner.contents[key]?.dropFirst(whole.count) ?? []
        case .sweepsLivingUploads where place.uploads.withLock({ $0[key] == false }):
            throw place.error(.failed, .commit, key)
        case .listsTemporaries:
            if let key = try? ObjectKey(key.string + ".part") { _ = try await place.inner.delete([key]) }
        default: break
        }
        place.written.withLock { $0.append(key) }
        try await inner.write(unsafe whole.span.bytes)
        try await inner.commit()
    }

    func abort() async {
        hasEnded.withLock { $0 = true }
        let isLeft =
            place.flaw == .abortLeavesObject || (place.flaw == .cancelledAbortLeavesObject && Task.isCancelled)
        if isLeft { plant() }
        if place.flaw == .listsTemporaries, let key = try? ObjectKey(key.string + ".part") {
            _ = try? await place.inner.delete([key])
        }
        await inner.abort()
    }

    private func plant() { place.inner.plant(bytes.withLock { $0 }, at: key) }
}

/// A reader that does one thing wrong.
final class BrokenSource: ObjectReader {
    private let inner: any ObjectReader
    private let place: BrokenBackend
    private let key: ObjectKey
    private let position = Mutex(0)

    init(_ inner: any ObjectReader, place: BrokenBackend, key: ObjectKey) {
        self.inner = inner
        self.place = place
        self.key = key
    }

    func read(into buffer: inout OutputRawSpan) async throws(StorageError) -> Int {
        if place.flaw == .readerMixesVersions, position.withLock({ $0 }) > 0 {
            let count = position.withLock { $0 }
            let fresh = try await place.inner.openRead(key, range: ByteRange(offset: count, count: Int.max))
            let more = try await fresh.read(into: &buffer)
            position.withLock { $0 += more }
            return more
        }
        if place.flaw == .overwritesBuffer, buffer.byteCount > 0 { buffer.removeLast() }
        let count = try await inner.read(into: &buffer)
        position.withLock { $0 += count }
        return count
    }

    func close() async { await inner.close() }
}
