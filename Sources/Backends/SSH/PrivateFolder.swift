internal import BackupAPI
import Glibc

/// A temporary folder that only this user may enter; it goes when nobody holds it any more.
final class PrivateFolder: Sendable {
    private let path: String

    /// Makes a folder below `parent`.
    init(below parent: String) throws(ChannelLoss) {
        var template = Array("\(parent)/pgmoneta-ssh-XXXXXX".utf8CString)
        // Sound: mkdtemp changes the last six characters of the array in place.
        guard unsafe mkdtemp(&template) != nil else {
            throw ChannelLoss(.failed, detail: "\(parent): \(SystemWords.text(of: errno))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Where a file of that name is.
    func path(of name: String) -> String { "\(path)/\(name)" }

    /// Writes a small text file that only this user may read.
    static func write(_ text: String, to path: String) throws(ChannelLoss) {
        // Sound, as all calls with a path below: the string lives during the call.
        let file = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw fault(path) }
        defer { Glibc.close(file) }
        let bytes = Array(text.utf8)
        // Sound: no more than the array holds.
        guard unsafe Glibc.write(file, bytes, bytes.count) == bytes.count else { throw fault(path) }
    }

    /// Reads a small text file: its first 64 KiB.
    static func text(of path: String) throws(ChannelLoss) -> String {
        let file = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw fault(path) }
        defer { Glibc.close(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        // Sound: no more than the array holds.
        let count = unsafe Glibc.read(file, &bytes, bytes.count)
        guard count >= 0 else { throw fault(path) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private static func fault(_ path: String) -> ChannelLoss {
        ChannelLoss(.failed, detail: "\(path): \(SystemWords.text(of: errno))")
    }

    deinit {
        for name in ["shown-0", "shown-1", "shown-2", "accepted"] {
            unsafe unlink("\(path)/\(name)")
            unsafe unlink("\(path)/\(name).old")
        }
        unsafe rmdir(path)
    }
}
