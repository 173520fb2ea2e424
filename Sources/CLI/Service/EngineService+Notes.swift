import BackupAPI
import BackupEngine

extension EngineService {
    func note(_ request: NotesRequest) async throws -> NotesAnswer {
        try await running(request.command, request.server.name) {
            // Which targets have the parents is only known when all of them were looked at.
            let view = try await view(
                request.server.name, request.targets, for: request.cascades ? nil : request.identifier)
            let label = try view.label(request.identifier)
            let labels = request.cascades ? try await view.chain(endingWith: label) : [label]
            var round = NotesRound(edit: request.edit, now: leaseTaker.clock())
            for label in labels {
                for (target, catalog) in view.catalogs(with: label) {
                    try await round.change(label, target, catalog)
                }
            }
            try round.requireOneDone()
            var summary = view.summary(of: label, codecs: session.kit.codecs)
            summary.note(round.notes.filter { $0.label == label })
            for (target, error) in round.failures {
                summary.targets.replace(with: TargetOutcome(target, failure: error))
            }
            return NotesAnswer(summary, labels: labels.map(\.string))
        }
    }

    func retain(_ request: RetentionRequest) async throws -> RetentionAnswer {
        try await running(.retention, request.server.name) {
            // Only the targets are of interest, not what a listing shows of them.
            let view = try await view(request.server.name, request.targets, for: .newest)
            var items: [RetentionAnswer.Item] = []
            var wal: [RetentionAnswer.WALItem] = []
            var targets = view.targets
            var firstFailure: (any Error)?
            for (target, catalog) in view.catalogs {
                let operation = RetentionOperation(
                    catalog: catalog, policy: request.server.retention, taker: leaseTaker)
                do {
                    let outcome = try await request.isDryRun ? operation.decide() : operation.run()
                    items += outcome.decisions.map { RetentionAnswer.Item(target: target, decision: $0) }
                    wal.append(RetentionAnswer.WALItem(target: target, expired: outcome.wal))
                    if let fault = outcome.walFault {
                        targets.replace(with: TargetOutcome(target: target, status: .failed, error: fault))
                    }
                } catch {
                    guard !CommandError.isInterruption(error) else { throw error }
                    firstFailure = firstFailure ?? error
                    targets.replace(with: TargetOutcome(target, failure: error))
                }
            }
            if let firstFailure, targets.allSatisfy({ $0.status == .failed }) { throw firstFailure }
            return RetentionAnswer(items: items, wal: wal, targets: targets)
        }
    }
}

/// One change of notes, made on one target after the other.
private struct NotesRound {
    let edit: NotesEdit
    let now: Int
    /// The notes as they are now where the change is made.
    private(set) var notes: [BackupNotes] = []
    /// Why it is not made on a target.
    private(set) var failures: [(target: String, error: any Error)] = []

    init(edit: NotesEdit, now: Int) {
        self.edit = edit
        self.now = now
    }

    /// Makes the change on a target. What was added or removed there before, by a run that did not reach all targets, is no
    /// failure beside targets where it is done now.
    mutating func change(_ label: BackupLabel, _ target: String, _ catalog: Catalog) async throws {
        do {
            notes.append(try await catalog.change(label, now: now, edit))
        } catch {
            guard !CommandError.isInterruption(error) else { throw error }
            failures.append((target, error))
            guard let reason = (error as? EngineError)?.reason, [.commentExists, .commentMissing].contains(reason),
                let there = try? await catalog.notes.notes(about: label), edit.isReached(in: there)
            else { return }
            reached.append((target, there))
        }
    }

    private var reached: [(target: String, notes: BackupNotes)] = []

    /// - Throws: why the change was made nowhere.
    mutating func requireOneDone() throws {
        let isReached = { [reached] (target: String) in reached.contains { $0.target == target } }
        guard !notes.isEmpty else {
            if let failure = failures.first(where: { !isReached($0.target) }) ?? failures.first { throw failure.error }
            return
        }
        failures.removeAll { isReached($0.target) }
        notes += reached.map(\.notes)
    }
}
