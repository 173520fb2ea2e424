import BackupAPI
import Codecs
import Foundation
import LocalBackend
import S3Backend
import SSHBackend
import TestSupport
import Testing

@testable import BackupEngine

/// More backups than any server lists at once.
@Suite struct ManyBackupsTests {
    private static let count = 10_000

    /// A folder with a repository of so many backups, of which only the names matter.
    private static func fill(_ folder: String) throws -> [BackupLabel] {
        let files = FileManager.default
        let labels = (0..<count).map { BackupLabel(secondsSince1970: 1_727_506_604 + $0 * 3607) }
        for label in labels {
            let place = "\(folder)/\(Layout.backupPrefix("primary", label))"
            try files.createDirectory(atPath: place, withIntermediateDirectories: true)
            try Data([1]).write(to: URL(filePath: place + Layout.recordName))
        }
        return labels
    }

    private static func expectAll(_ labels: [BackupLabel], at place: any StorageBackend) async throws {
        try await onPool {
            let cryptography = OpenSSLCryptography()
            let repository = try await Repository.openOrCreate(
                name: "many", backend: place, isEncrypted: false, masterKey: nil, cryptography: cryptography)
            let catalog = Catalog(repository: repository, server: "primary", cryptography: cryptography)

            let found = try await catalog.labels()
            var records: [String] = []
            try await place.forEachEntry(ListRequest(prefix: Layout.backupsPrefix("primary"))) { entry in
                records.append(entry.position)
            }

            let expected = labels.map { Layout.backupPrefix("primary", $0) + Layout.recordName }
            let hasAllLabels = found == labels
            let hasAllRecords = records == expected
            #expect(hasAllLabels, "\(found.count) labels, the last is \(found.last.map { "\($0)" } ?? "none")")
            #expect(hasAllRecords, "\(records.count) records, the last is \(records.last ?? "none")")
        }
    }

    @Test func `ten thousand backups in a folder are listed, each once and in order`() async throws {
        let folder = try TemporaryFolder()
        let labels = try Self.fill(folder.path("repository"))

        try await Self.expectAll(labels, at: LocalBackend(path: folder.path("repository")))
    }

    @Test func `ten thousand backups on an SFTP server are listed, each once and in order`() async throws {
        let server = try SSHServer()
        let labels = try Self.fill(server.place.path)
        let place = try await SSHBackendFactory.factory().open(
            TargetSettings(location: TargetLocation(server.url()), values: server.settings.mapValues { Secret($0) }))

        try await Self.expectAll(labels, at: place)

        await place.close()
    }

    @Test func `ten thousand backups in a bucket are listed, each once and in order`() async throws {
        let server = try SeaweedServer.shared()
        let folder = try TemporaryFolder()
        let labels = try Self.fill(folder.path)
        try server.rclone(
            "copy", "--transfers", "32", "--checkers", "32", "--no-traverse", "--s3-no-head", folder.path,
            "place:\(SeaweedServer.bucket)/many")
        let place = try await S3BackendFactory.factory(cryptography: OpenSSLCryptography()).open(
            TargetSettings(
                location: TargetLocation(server.url(prefix: "many")),
                values: server.settings().mapValues { Secret($0) }))

        try await Self.expectAll(labels, at: place)
    }
}
