import BackupAPI
import Foundation
import TestSupport

@testable import SSHBackend

/// A temporary folder that goes with the value that holds it.
final class Scratch: Sendable {
    /// Its path, without a slash at the end.
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/pgmoneta-ssh-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and gives its path.
    @discardableResult
    func write(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
        let file = "\(path)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }

    /// All paths below a folder of it, sorted.
    func tree(_ folder: String) -> [String] {
        (FileManager.default.enumerator(atPath: "\(path)/\(folder)")?.allObjects as? [String] ?? []).sorted()
    }

    /// Reads a text file.
    func text(_ name: String) throws -> String {
        try String(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"), encoding: .utf8)
    }
}

/// The SFTP server of OpenSSH, run here without ssh.
enum DirectServer {
    static let program = SSHServer.sftpProgram

    /// Opens a target in the folder `place` of a scratch folder.
    static func open(
        _ scratch: Scratch, program: String = DirectServer.program, settings: [String: String] = [:]
    ) async throws -> SSHBackend {
        var values = settings.mapValues { Secret($0) }
        values["sftp_server"] = Secret(program)
        let location = try TargetLocation("sftp://localhost\(scratch.path)/place")
        while true {
            do {
                let backend = try await SSHBackendFactory.factory().open(
                    TargetSettings(location: location, values: values))
                guard let backend = backend as? SSHBackend else { throw Unexpected() }
                return backend
            } catch let error as StorageError where error.detail?.contains("Text file busy") == true {
                // Another test started a program while this one's script was open for writing.
                await Task.yield()
            }
        }
    }
}

/// Something that cannot be, and fails the test that meets it.
struct Unexpected: Error {}

/// Bytes that do not repeat, the same for the same seed.
func sample(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 33)
    }
}

/// Reads to the end.
func bytesOf(_ reader: any ObjectReader) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 100_000, alignment: 16)
        defer { unsafe buffer.deallocate() }
        // Sound: the span does not leave this turn, and the buffer outlives it.
        var span = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
        let count = try await reader.read(into: &span)
        let filled = unsafe span.finalize(for: buffer)
        guard count > 0 else { break }
        unsafe bytes += buffer[..<filled]
    }
    await reader.close()
    return bytes
}

/// The error that `body` throws; nil when it does not.
func storageError(_ body: () async throws -> Void) async throws -> StorageError? {
    do {
        try await body()
        return nil
    } catch let error as StorageError {
        return error
    }
}
