import BackupAPI
import Synchronization

/// Collects damage from many tasks.
final class Findings: Sendable {
    private let label: BackupLabel
    private let errors = Mutex<[EngineError]>([])

    init(label: BackupLabel) { self.label = label }

    func note(_ error: EngineError) { errors.withLock { if !$0.contains(error) { $0.append(error) } } }

    /// Runs a check; damage, and an object that is gone or cannot be read any more, are noted, anything else is thrown.
    func collectDamage(of path: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as EngineError where error.isDamage {
            note(error)
        } catch let fault as StorageError {
            guard let damage = EngineError(damageOf: path, of: label, fault) else { throw fault }
            note(damage)
        }
    }

    /// Sorts the damage by the objects it names.
    func report(_ objects: [StoredObject]) -> VerifyReport {
        let all = errors.withLock { $0 }
        var other = all
        let checked = objects.map { object in
            let own = all.filter { $0.detail.contains("'\(object.path)'") }
            other.removeAll { own.contains($0) }
            return VerifyReport.Object(path: object.path, original: object.sha512, damages: own.map(\.summary))
        }
        return VerifyReport(label: label, objects: checked, damages: other.map(\.summary))
    }
}
