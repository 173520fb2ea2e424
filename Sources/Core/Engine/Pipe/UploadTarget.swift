package import BackupAPI
import Synchronization

/// One of the places that a backup goes to. Its failure ends its own part only, as long as another target is well.
package final class UploadTarget: Sendable {
    /// The name in the configuration, or the URL.
    package let name: String
    package let backend: any StorageBackend
    private let state = Mutex<(any Error)?>(nil)

    /// Makes a target that has not failed.
    package init(name: String, backend: any StorageBackend) {
        self.name = name
        self.backend = backend
    }

    /// Why the target has failed; nil while it is well.
    package var failure: (any Error)? { state.withLock { $0 } }

    /// Notes the first failure.
    package func fail(_ error: any Error) { state.withLock { if $0 == nil { $0 = error } } }

    /// Runs a step that concerns this target alone. What goes wrong in it is this target's failure.
    /// - Returns: nil when the target has failed.
    /// - Throws: only when the task was cancelled.
    func attempt<Result>(_ step: () async throws -> Result) async throws -> Result? {
        guard failure == nil else { return nil }
        do {
            return try await step()
        } catch {
            // What a cancelled step throws says nothing about the target.
            guard !Task.isCancelled, (error as? StorageError)?.reason != .cancelled else { throw error }
            fail(error)
            return nil
        }
    }
}

extension [UploadTarget] {
    /// The targets that have not failed.
    package var well: [UploadTarget] { filter { $0.failure == nil } }

    /// - Throws: the first target's failure when none is well.
    package func requireOneComplete() throws {
        if well.isEmpty, let failure = first?.failure { throw failure }
    }
}

/// Writes one stream's volumes to one target.
final class TargetWriter: Sendable {
    let frames = Mailbox<Frame>()
    private let target: UploadTarget
    private let pipe: EncodePipe
    private let path: @Sendable (Int) -> String
    private let framesPerVolume: Int

    init(
        target: UploadTarget, pipe: EncodePipe, path: @escaping @Sendable (Int) -> String, framesPerVolume: Int
    ) {
        self.target = target
        self.pipe = pipe
        self.path = path
        self.framesPerVolume = framesPerVolume
    }

    /// Writes volumes until the stream ends. A failure of the target is kept there; later frames are only given back.
    func run() async throws {
        while let first = try await frames.next() {
            guard target.failure == nil else {
                done(first)
                continue
            }
            do {
                try await writeVolume(from: first)
            } catch let error as StorageError where error.reason != .cancelled {
                target.fail(error)
                try pipe.targets.requireOneComplete()
            }
        }
    }

    private func writeVolume(from first: Frame) async throws {
        let options = WriteOptions(
            ifAbsent: pipe.createsOnly, expectedByteCount: first.position.isLast ? first.stored.count : nil)
        var held: Frame? = first
        defer { if let held { done(held) } }
        let key = try pipe.key(path(first.number / framesPerVolume))
        try await target.backend.put(key, options: options) { (upload: inout Upload) in
            if let header = first.object?.header, !header.isEmpty { try await upload.write(header) }
            while let frame = held {
                try await Self.write(frame, to: &upload)
                held = nil
                let isLast = frame.position.isLast
                done(frame)
                if isLast { return }
                guard let next = try await frames.next() else { throw CancellationError() }
                held = next
            }
        }
    }

    private static func write(_ frame: Frame, to upload: inout Upload) async throws {
        let stored = frame.stored
        try await stored.withBytes { (bytes: RawSpan) async throws in try await upload.write(bytes) }
    }

    private func done(_ frame: Frame) { if frame.release() { pipe.recycle(frame) } }
}
