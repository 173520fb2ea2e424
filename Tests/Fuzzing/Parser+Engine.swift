import BackupAPI
@testable import BackupEngine
import Codecs
import PostgresClient

extension Parser {
    /// What stands in a repository, and what PostgreSQL sends.
    static let engine: [Parser] = [
        Parser(name: "tar") { bytes in
            // Whole, and cut where the first byte says.
            let whole = TarNotes(bytes, cut: bytes.count)
            let parts = TarNotes(bytes, cut: min(bytes.count, Int(bytes.first ?? 0) * 7))
            require(whole == parts, "a tar stream reads differently in two pieces")
        },
        index,
        Parser(name: "record") { bytes in
            let file = RecordFile(keys: KeyRing(), cryptography: OpenSSLCryptography())
            guard let record = try? file.decode(bytes, name: "backup.info", requiresKey: true) else { return }
            let again = try? file.encode(record)
            require(
                again.flatMap { try? file.decode($0, name: "backup.info", requiresKey: true) } == record,
                "a record is written differently again")
        },
        Parser(name: "json") { bytes in
            reread(RepositoryDescription.self, bytes)
            reread(ServerIdentity.self, bytes)
            reread(Lease.Holder.self, bytes)
            reread(WrappedKey.self, bytes)
        },
        Parser(name: "archived-wal") { bytes in
            let file = AuthenticatedFile<ArchivedWAL>(
                keys: KeyRing(), cryptography: OpenSSLCryptography(), isEncrypted: false)
            _ = try? file.decode(bytes, name: "x")
        },
        Parser(name: "notes") { bytes in
            let file = AuthenticatedFile<BackupNotes>(
                keys: KeyRing(), cryptography: OpenSSLCryptography(), isEncrypted: false)
            _ = try? file.decode(bytes, name: "x", requiresKey: false)
        },
        Parser(name: "summary") { bytes in
            guard let map = WALSummary.map(from: bytes), let again = WALSummary.bytes(of: map) else { return }
            require(WALSummary.map(from: again) == map, "a block map is written differently again")
        },
        Parser(name: "checksum-list") { bytes in
            guard let entries = ChecksumList.digests(bytes) else { return }
            let objects = entries.map { StoredObject(path: $0.path, bytes: 0, sha512: $0.sha512) }
            require(ChecksumList.text(objects) == bytes, "a list of checksums is written differently again")
        },
        Parser(name: "manifest") { bytes in
            let cut = min(bytes.count, Int(bytes.first ?? 0) * 7)
            require(
                manifestFiles(bytes, cut: bytes.count) == manifestFiles(bytes, cut: cut),
                "a manifest reads differently in two pieces")
        },
        Parser(name: "history") { bytes in
            guard let timeline = Timeline(7) else { return }
            _ = TimelineHistory(of: timeline, String(decoding: bytes, as: UTF8.self))
        },
        Parser(name: "configuration") { bytes in
            _ = try? Configuration.load(
                text: String(decoding: bytes, as: UTF8.self), fileName: "pgmoneta.conf", backends: BackendRegistry(),
                codecs: StandardCodecs.registry, environment: ["HOME": "/root"])
        },
    ]

    /// A text that is understood is understood again when it was written.
    private static func reread<Text: Codable>(_: Text.Type, _ bytes: [UInt8]) {
        guard let text = try? CanonicalJSON.decode(Text.self, from: bytes), let once = try? CanonicalJSON.encode(text)
        else { return }
        let again = (try? CanonicalJSON.decode(Text.self, from: once)).flatMap { try? CanonicalJSON.encode($0) }
        require(again == once, "a \(Text.self) is written differently again")
    }

    /// The files that a manifest names; nil when it is none.
    private static func manifestFiles(_ bytes: [UInt8], cut: Int) -> [String]? {
        var reader = ManifestReader()
        var files: [String] = []
        do {
            for part in [bytes[..<cut], bytes[cut...]] {
                try unsafe part.withUnsafeBytes { try unsafe reader.consume($0) { files.append("\($0)") } }
            }
            try reader.finish()
        } catch {
            return nil
        }
        return files
    }
}

/// What a `TarReader` says of a stream.
private final class TarNotes: TarVisitor, Equatable {
    private var members: [String] = []
    private var contentByteCount = 0
    private var failure: String?

    init(_ bytes: [UInt8], cut: Int) {
        var reader = TarReader()
        do {
            for part in [bytes[..<cut], bytes[cut...]] {
                try unsafe part.withUnsafeBytes { try unsafe reader.consume($0, visitor: self) }
            }
        } catch {
            failure = "\(error)"
        }
    }

    func begin(_ member: Member) throws { members.append("\(member)") }
    func content(_ bytes: UnsafeRawBufferPointer) throws { contentByteCount += bytes.count }
    func end() throws {}

    static func == (left: TarNotes, right: TarNotes) -> Bool {
        left.members == right.members && left.contentByteCount == right.contentByteCount
            && left.failure == right.failure
    }
}
