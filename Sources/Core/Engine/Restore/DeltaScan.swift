import CEngine
import Glibc
import Synchronization

/// Compares what stands in a data directory with a snapshot. Nothing is changed.
struct DeltaScan: Sendable {
    /// What was found.
    struct Findings: Sendable {
        /// Files of the snapshot whose content is there already, by size and CRC-32C.
        var kept: Set<Int> = []
        /// What the snapshot does not have there: paths of files, links, and folders with all in them.
        var foreign: [FilePath] = []
    }

    /// A file that may have the right content.
    private struct Candidate: Sendable {
        var path: FilePath
        /// Index into the snapshot's files.
        var file: Int
    }

    /// Hands out candidates to many tasks.
    private final class Queue: Sendable {
        private let rest: Mutex<[Candidate]>

        init(_ candidates: [Candidate]) { rest = Mutex(candidates.reversed()) }

        func next() -> Candidate? { rest.withLock { $0.popLast() } }
    }

    private enum Expected {
        case folder, link
        case file(Int)
    }

    private let snapshot: Snapshot
    private let target: RestoreTarget
    private let expected: [FilePath: Expected]

    init(snapshot: Snapshot, target: RestoreTarget) throws {
        self.snapshot = snapshot
        self.target = target
        var expected: [FilePath: Expected] = [:]
        for folder in snapshot.folders { expected[try target.path(folder.root, folder.path)] = .folder }
        for link in snapshot.links { expected[try target.path(link.root, link.path)] = .link }
        for (index, file) in snapshot.files.enumerated() {
            expected[try target.path(file.root, file.path)] = .file(index)
        }
        self.expected = expected
    }

    /// Looks at all folders, and reads the files whose content may be right.
    func run(workers: Int) async throws -> Findings {
        var findings = Findings()
        var candidates: [Candidate] = []
        for root in target.roots { look(into: FilePath(root), &findings, &candidates) }
        let queue = Queue(candidates)
        let kept = try await withThrowingTaskGroup(of: [Int].self) { group in
            for _ in 0..<max(1, workers) {
                group.addTask {
                    var kept: [Int] = []
                    while let next = queue.next() {
                        try Task.checkCancellation()
                        if Self.checksum(of: next.path) == snapshot.files[next.file].checksum { kept.append(next.file) }
                    }
                    return kept
                }
            }
            var kept: Set<Int> = []
            while let some = try await group.next() { kept.formUnion(some) }
            return kept
        }
        findings.kept = kept
        return findings
    }

    private func look(
        into folder: FilePath, _ findings: inout Findings, _ candidates: inout [Candidate]
    ) {
        for name in FolderContents.names(in: folder) ?? [] {
            let path = folder.appending(name)
            var status = stat()
            guard unsafe lstat(path.characters, &status) == 0 else { continue }
            switch (expected[path], status.st_mode & S_IFMT) {
            case (.folder, S_IFDIR): look(into: path, &findings, &candidates)
            // A cluster may have its WAL elsewhere (documentation, "initdb", --waldir).
            case (.folder, S_IFLNK) where path == FilePath(target.dataDirectory).appending("pg_wal"):
                look(into: path, &findings, &candidates)
            case (.file(let index), S_IFREG):
                let file = snapshot.files[index]
                // The control file is always written: it goes first and comes last.
                let isControl = file.root == .data && file.path == DirectorySink.controlPath
                if Int(status.st_size) == file.byteCount, file.checksum != nil, !isControl {
                    candidates.append(Candidate(path: path, file: index))
                }
            default: findings.foreign.append(path)
            }
        }
    }

    /// CRC-32C of a file; nil when it cannot be read.
    private static func checksum(of path: FilePath) -> UInt32? {
        let descriptor = unsafe open(path.characters, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var checksum: UInt32 = 0
        return unsafe withUnsafeTemporaryAllocation(byteCount: 256 << 10, alignment: 4096) { buffer -> UInt32? in
            while true {
                let count = unsafe read(descriptor, buffer.baseAddress, buffer.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { return count < 0 ? nil : checksum }
                checksum = unsafe pgm_crc32c(checksum, buffer.baseAddress, count)
            }
        }
    }
}
