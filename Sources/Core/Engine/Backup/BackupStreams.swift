import BackupAPI
import PostgresClient

/// An archive that is complete on at least one target.
struct FinishedArchive: Sendable {
    let name: String
    let location: String
    let receipt: StreamReceipt
    let members: [Member]
}

/// Takes PostgreSQL's base backup and puts it into the pipe: each archive into a stream of its own, the manifest into another.
final class BackupStreams: BaseBackupReceiver {
    private let pipe: EncodePipe
    private let plan: BackupPlan
    private let started: Mailbox<BaseBackupStart>
    private let progress: ProgressCounter
    private var archive: (name: String, location: String, stream: FrameStream, tap: ArchiveTap)?
    private var wire: WireDecoder?
    private var taps: [(name: String, tap: ArchiveTap)] = []
    private var manifestStream: FrameStream?
    private var manifestReader = ManifestReader()
    private var manifestChecksum: ManifestChecksum
    private var manifestCheck: ManifestCheck?
    private(set) var archives: [FinishedArchive] = []

    /// - Parameter started: gets the start as soon as PostgreSQL tells it, for the WAL stream.
    init(pipe: EncodePipe, plan: BackupPlan, started: Mailbox<BaseBackupStart>, progress: ProgressCounter) {
        self.pipe = pipe
        self.plan = plan
        self.started = started
        self.progress = progress
        manifestChecksum = ManifestChecksum(sha256: plan.cryptography.makeDigest(.sha256))
    }

    /// What `backup_label` says.
    var label: String {
        String(decoding: taps.first { $0.name == "base" }?.tap.label ?? [], as: UTF8.self)
    }

    /// The files that came, in their order, with their paths below the data directory.
    var files: [ManifestCheck.Arrived] { ManifestCheck.arrived(taps) }

    /// - Throws: `.unsupported` for a tablespace in the data directory itself, which version 16 and later send like any other, but with a
    ///   place that is none.
    func backupStarted(_ start: BaseBackupStart) async throws {
        if let inPlace = start.tablespaces.first(where: { $0.location == "pg_tblspc/\($0.oid)" }) {
            throw EngineError(
                .unsupported, "the tablespace at '\(inPlace.location)' is in the data directory itself",
                remedy:
                    "Move what is in it with ALTER TABLE … SET TABLESPACE, and drop it: PostgreSQL has such tablespaces "
                    + "for its own tests ('allow_in_place_tablespaces').")
        }
        progress.setTotal(byteCount: start.estimatedByteCount)
        started.send(start)
    }

    func archiveStarted(_ archive: BaseBackupArchive) async throws {
        let tap = ArchiveTap(makeDigest: plan.makeManifestDigest, isIncremental: plan.parent != nil)
        let suffix = pipe.chain.suffix
        let stream = pipe.beginStream(framesPerVolume: pipe.format.framesPerVolume) { volume in
            Layout.volumePath(archive: archive.name, volume: volume, suffix: suffix)
        }
        wire = try plan.wireCodec.map { try WireDecoder($0.makeStreamDecoder(nil)) }
        self.archive = (archive.name, archive.location ?? "", stream, tap)
        taps.append((archive.name, tap))
    }

    func archiveBytes(_ bytes: RawSpan) async throws {
        guard let archive else { return }
        progress.add(byteCount: bytes.byteCount)
        if let wire {
            try await wire.push(bytes) { plain in
                try archive.tap.consume(plain)
                try await archive.stream.write(plain)
            }
        } else {
            try archive.tap.consume(bytes)
            try await archive.stream.write(bytes)
        }
    }

    func archiveEnded() async throws {
        guard let archive else { return }
        try wire?.finish()
        try archive.tap.finish(archive.name)
        let receipt = try await archive.stream.finish()
        archives.append(
            FinishedArchive(
                name: archive.name, location: archive.location, receipt: receipt, members: archive.tap.members))
        self.archive = nil
    }

    func manifestBytes(_ bytes: RawSpan) async throws {
        if manifestStream == nil {
            let path = Layout.manifestName + pipe.chain.suffix
            manifestStream = pipe.beginStream(framesPerVolume: nil) { _ in path }
            manifestCheck = ManifestCheck(archives: taps, hasChecksums: plan.manifestChecksums != "NONE")
        }
        do {
            try unsafe bytes.withUnsafeBytes { bytes in
                try unsafe manifestChecksum.consume(bytes)
                try unsafe manifestReader.consume(bytes) { try manifestCheck?.check($0) }
            }
        } catch let error as ManifestError {
            throw EngineError(.manifestMismatch, error.description)
        }
        try await manifestStream?.write(bytes)
    }

    /// Ends the manifest.
    /// - Throws: `.manifestMismatch` when it does not name exactly what came, or is not what its own checksum says.
    func finishManifest() async throws -> StoredObject {
        guard let manifestStream, let manifestCheck else {
            throw EngineError(.manifestMismatch, "PostgreSQL sent no manifest")
        }
        do {
            try manifestReader.finish()
            try manifestChecksum.finish(recorded: manifestReader.checksum)
        } catch let error as ManifestError {
            throw EngineError(.manifestMismatch, error.description)
        }
        try manifestCheck.finish()
        return try await manifestStream.finish().onlyVolume
    }
}

extension StreamReceipt {
    /// The one object that the stream became.
    var onlyVolume: StoredObject {
        get throws {
            guard volumes.count == 1 else {
                throw EngineError(.streamMalformed, "a stream became \(volumes.count) objects")
            }
            return volumes[0]
        }
    }
}

/// Takes the server's compression off again, for `server-` compressions.
final class WireDecoder {
    private let decoder: any StreamDecoder
    private let output = FrameBuffer(capacity: 256 << 10)

    init(_ decoder: any StreamDecoder) { self.decoder = decoder }

    func push(_ bytes: RawSpan, to consume: (RawSpan) async throws -> Void) async throws {
        var offset = 0
        while true {
            output.clear()
            let step = try output.fill { (room: inout OutputRawSpan) throws(CodecError) in
                try decoder.decode(bytes.extracting(offset..<bytes.byteCount), into: &room)
            }
            offset += step.consumed
            try await output.withBytes { (plain: RawSpan) async throws in try await consume(plain) }
            if offset == bytes.byteCount && !step.hasMoreOutput { return }
        }
    }

    func finish() throws { try decoder.finish() }
}
