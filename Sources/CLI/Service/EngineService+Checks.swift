import BackupAPI
import BackupEngine
import Glibc

extension EngineService {
    func verify(_ request: VerifyRequest, progress: ProgressCounter) async throws -> VerifyAnswer {
        try await running(.verify, request.server.name, progress) {
            let view = try await view(
                request.server.name, request.targets, for: request.identifier,
                bandwidth: bandwidth(request.maximumBytesPerSecond))
            let label = try view.label(request.identifier)
            let (files, targets) = try await verify(request, label, view, progress)
            let summary = view.summary(of: label, codecs: session.kit.codecs)
            let answer = VerifyAnswer(
                server: ServerIdentity(
                    name: request.server.name, majorVersion: summary.majorVersion, minorVersion: summary.minorVersion),
                label: label.string, checkedFileCount: files.count, failed: files.filter(\.isDamaged),
                all: request.detail == .all ? files : nil, targets: targets)
            if let directory = request.directory { try VerifyReportFile.write(answer, to: AbsolutePath.of(directory)) }
            return answer
        }
    }

    /// Verifies a backup on each target that has its folder.
    /// - Throws: when none of them could be looked at, the first one's failure.
    private func verify(
        _ request: VerifyRequest, _ label: BackupLabel, _ view: CatalogView, _ progress: ProgressCounter
    ) async throws -> (files: [VerifyAnswer.File], targets: [TargetOutcome]) {
        var files: [VerifyAnswer.File] = []
        var outcomes = view.outcomes(of: label)
        var failures: [any Error] = []
        let sources = view.catalogs(withFolder: label)
        for (target, catalog) in sources {
            let outcome: TargetOutcome
            do {
                let found = try await verify(request, label, target, catalog, progress)
                files += found
                let damaged = found.filter(\.isDamaged).count
                if request.isNoted {
                    let verification = BackupNotes.Verification(at: leaseTaker.clock(), isSound: damaged == 0)
                    _ = try await catalog.change(label, now: verification.at, .verified(verification))
                }
                let durability = catalog.repository.backend.capabilities.durability
                outcome =
                    damaged == 0
                    ? TargetOutcome(target, failure: nil, durability: durability)
                    : TargetOutcome(
                        target: target, status: .failed, error: "\(damaged) of \(found.count) files are damaged")
            } catch {
                guard !CommandError.isInterruption(error) else { throw error }
                failures.append(error)
                outcome = TargetOutcome(target, failure: error)
            }
            outcomes.replace(with: outcome)
        }
        if failures.count == sources.count, let first = failures.first { throw first }
        return (files, outcomes)
    }

    private func verify(
        _ request: VerifyRequest, _ label: BackupLabel, _ target: String, _ catalog: Catalog,
        _ progress: ProgressCounter
    ) async throws -> [VerifyAnswer.File] {
        let operation = VerifyOperation(
            catalog: catalog, codecs: session.kit.codecs, cryptography: session.kit.cryptography,
            workers: Self.workers(request.server), progress: progress)
        let depth: VerifyOperation.Depth = request.isQuick ? .stored : .content
        let reports =
            request.isThisOnly
            ? [try await operation.run(label, depth: depth)] : try await operation.runChain(label, depth: depth)
        return reports.flatMap { $0.files(target: target) }
    }
}

extension VerifyAnswer.File {
    /// Whether it is not what it must be.
    fileprivate var isDamaged: Bool { calculated != original }
}

extension VerifyReport {
    /// The objects as `verify` shows them, with damage that belongs to none of them at the end.
    fileprivate func files(target: String) -> [VerifyAnswer.File] {
        let known = objects.map { object in
            let slash = object.path.lastIndex(of: "/")
            return VerifyAnswer.File(
                target: target, label: label.string, directory: slash.map { String(object.path[..<$0]) } ?? "",
                fileName: slash.map { String(object.path[object.path.index(after: $0)...]) } ?? object.path,
                algorithm: "SHA512", original: object.original,
                calculated: object.damages.isEmpty ? object.original : object.damages.joined(separator: "; "))
        }
        return known
            + damages.map {
                VerifyAnswer.File(
                    target: target, label: label.string, directory: "", fileName: $0, algorithm: "SHA512", original: "",
                    calculated: "damaged")
            }
    }
}

/// The report that `verify` leaves in a directory.
private enum VerifyReportFile {
    static func write(_ answer: VerifyAnswer, to directory: String) throws {
        let path = directory + "/pgmoneta-verify-\(answer.server.name)-\(answer.label).txt"
        let lines = (answer.all ?? answer.failed).map { file in
            let name = file.directory.isEmpty ? file.fileName : file.directory + "/" + file.fileName
            return "\(file.calculated == file.original ? "ok" : "DAMAGED") \(file.target) \(file.label) \(name)"
                + (file.calculated == file.original ? "" : ": \(file.calculated)")
        }
        let text =
            "\(answer.failed.isEmpty ? "sound" : "damaged"): \(answer.checkedFileCount) objects\n"
            + lines.map { $0 + "\n" }.joined()
        try SmallFile.replace(path, Array(text.utf8))
    }
}

/// Paths as the user's shell means them.
enum AbsolutePath {
    /// The path from the root, without a slash at its end.
    static func of(_ path: String) -> String {
        var whole = path
        if !path.utf8.starts(with: "/".utf8) {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            if unsafe getcwd(&buffer, buffer.count) != nil {
                whole =
                    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/"
                    + path
            }
        }
        while whole.utf8.count > 1, whole.utf8.last == 0x2F { whole = String(whole.dropLast()) }
        return whole
    }
}
