import Foundation
import TestSupport

/// The kinds of places that backups can be in. What must be the same everywhere runs over all of them.
enum PlaceKind: String, CaseIterable, Sendable {
    case local, s3, ssh
}

/// A place of each kind for one installation, empty at first. The targets have the names of the kinds.
struct Places {
    let s3: SeaweedServer
    let ssh: SSHServer
    /// The target's prefix in the bucket.
    let prefix: String

    /// Makes the places; the S3 server is the one that all tests share where none is given.
    init(s3: SeaweedServer? = nil) throws {
        self.s3 = try s3 ?? SeaweedServer.shared()
        ssh = try SSHServer()
        prefix = "places/" + String(UInt64.random(in: .min ... .max), radix: 36)
    }

    /// Lines of the configuration behind those of an `Installation`, which has the local target already.
    /// - Parameters:
    ///   - general: more lines of `[pgmoneta]`.
    ///   - changes: settings of the targets that are replaced, by kind; an empty value takes one away.
    func lines(general: [String] = [], changes: [PlaceKind: [String: String]] = [:]) -> [String] {
        let usual: [(PlaceKind, [String: String])] = [
            (.s3, s3.settings().merging(["url": s3.url(prefix: prefix)]) { $1 }),
            (.ssh, ssh.settings.merging(["url": ssh.url()]) { $1 }),
        ]
        let sections = usual.flatMap { kind, settings in
            ["[target:\(kind)]"]
                + settings.merging(changes[kind] ?? [:]) { $1 }.filter { !$0.value.isEmpty }.map { "\($0) = \($1)" }
        }
        return ["target = local, s3, ssh"] + general + sections
    }

    /// The URL of a place.
    func url(_ kind: PlaceKind, of installation: Installation) -> String {
        switch kind {
        case .local: "file://" + installation.repository
        case .s3: s3.url(prefix: prefix)
        case .ssh: ssh.url()
        }
    }

    /// Brings all objects of a place into an empty folder, with programs that are not ours: `cp`, `rclone` and `sftp`.
    func download(_ kind: PlaceKind, of installation: Installation, to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        switch kind {
        case .local: try Program.check("/bin/cp", ["-R", installation.repository + "/.", folder])
        case .s3: try s3.rclone("copy", "place:\(SeaweedServer.bucket)/\(prefix)", folder)
        case .ssh: try ssh.download(".", to: folder)
        }
    }
}
