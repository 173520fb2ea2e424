import BackupAPI
import BackupConformance
import Codecs
import TestSupport
import Testing

@testable import BackupEngine

/// Objects that are there and cannot be read.
@Suite struct UnreadableObjectTests {
    private static let backup = GoldenBackup.all[2]

    /// The golden repository, where reading one object goes wrong.
    private static func golden(
        _ key: ObjectKey, _ reason: StorageError.Reason, afterByteCount: Int = 0
    ) async throws -> GoldenRepository {
        let (_, place) = try await GoldenRepository.inMemory()
        let error = StorageError(reason, operation: .read, key: key.string, target: "memory:", detail: "EIO")
        return GoldenRepository(
            backend: FaultyBackend(place) { call in
                call.kind == .openRead && call.key == key ? .cut(afterByteCount: afterByteCount, error) : nil
            })
    }

    @Test(arguments: [StorageError.Reason.permissionDenied, .corrupt, .failed, .invalidKey])
    func `a record that cannot be read is one backup that is not valid`(_ reason: StorageError.Reason) async throws {
        let key = try Layout.object("primary", Self.backup.label, Layout.recordName)
        let golden = try await Self.golden(key, reason)

        let entries = try await onPool { try await golden.catalog().entries() }

        #expect(entries.map(\.label) == GoldenBackup.all.map(\.label))
        #expect(entries.filter { !$0.isValid }.map(\.label) == [Self.backup.label])
    }

    @Test(arguments: [StorageError.Reason.unavailable, .timedOut, .throttled, .cancelled, .notAuthenticated])
    func `a place that does not answer is no list of backups`(_ reason: StorageError.Reason) async throws {
        let key = try Layout.object("primary", Self.backup.label, Layout.recordName)
        let golden = try await Self.golden(key, reason)

        let error = await #expect(throws: StorageError.self) {
            _ = try await onPool { try await golden.catalog().entries() }
        }

        #expect(error?.reason == reason)
    }

    @Test(arguments: [VerifyOperation.Depth.stored, .content], [0, 100])
    func `a fault of the disk under any object is damage`(depth: VerifyOperation.Depth, afterByteCount: Int)
        async throws
    {
        let prefix = Layout.backupPrefix("primary", Self.backup.label)
        let keys = try await GoldenRepository.inMemory().place.keys.filter { $0.string.hasPrefix(prefix) }
        #expect(keys.count > 5)

        for key in keys {
            let golden = try await Self.golden(key, .corrupt, afterByteCount: afterByteCount)
            let report = try await onPool {
                try await VerifyOperation(
                    catalog: golden.catalog(), codecs: StandardCodecs.registry, cryptography: OpenSSLCryptography(),
                    workers: 2, progress: ProgressCounter(activity: "test")
                ).run(Self.backup.label, depth: depth)
            }

            let words = (report.damages + report.objects.flatMap(\.damages)).joined(separator: "\n")
            #expect(words.contains("'\(key.string.dropFirst(prefix.utf8.count))'"), "\(key): \(words)")
            #expect(words.contains("EIO"), "\(key): \(words)")
        }
    }
}
