import BackupAPI
import Synchronization

/// Set from any thread; transfers look at it while they wait.
final class CancelFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    /// Whether it was set.
    var isSet: Bool { flag.load(ordering: .acquiring) }

    /// Asks everything that looks at it to stop.
    func set() { flag.store(true, ordering: .releasing) }

    /// Runs blocking work on the calling thread; cancelling the task sets the flag.
    func whileRunning<Value: Sendable, Failure: Error>(
        _ body: () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withTaskCancellationHandler {
            do throws(Failure) {
                return .success(try body())
            } catch {
                return .failure(error)
            }
        } onCancel: {
            set()
        }
        return try result.get()
    }
}
