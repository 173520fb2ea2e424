import BackupAPI
import Synchronization

/// How a call with a time limit came out.
enum LimitedOutcome<Answer: Sendable>: Sendable {
    /// It ended, well or not.
    case ended(Result<Answer, StorageError>)
    /// It was cancelled and left to itself; what it works with must not be used any more.
    case left
}

/// A call that runs in a task of its own, so that its caller need not wait for it longer than a limit.
///
/// A call that is over its limit is cancelled. A driver that blocks without looking may go on all the same: then its task is
/// left to itself, and `late` cleans up behind it whenever it ends.
final class LimitedCall<Answer: Sendable>: Sendable {
    private enum State {
        case running
        case awaited(CheckedContinuation<LimitedOutcome<Answer>, Never>)
        case decided(LimitedOutcome<Answer>)
        case done
    }

    private let state = Mutex(State.running)

    private init() {}

    /// Makes the call.
    /// - Parameters:
    ///   - executor: where `body` runs and may block.
    ///   - body: the call; it must not use anything that its caller owns.
    ///   - late: gets the result of a call that was left.
    static func run(
        limit: Duration, watchdog: Watchdog, executor: (any TaskExecutor)?,
        _ body: @escaping @Sendable () async throws(StorageError) -> Answer,
        late: @escaping @Sendable (Result<Answer, StorageError>) async -> Void
    ) async -> LimitedOutcome<Answer> {
        let call = LimitedCall()
        let work = Task(executorPreference: executor) {
            let result: Result<Answer, StorageError>
            do throws(StorageError) {
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            if !call.decide(.ended(result)) { await late(result) }
        }
        let watch = watchdog.begin(limit: limit) { if call.decide(.left) { work.cancel() } }
        let outcome = await withTaskCancellationHandler {
            await call.outcome()
        } onCancel: {
            work.cancel()
        }
        watchdog.end(watch)
        return outcome
    }

    /// Takes the first outcome.
    /// - Returns: whether it was the first.
    private func decide(_ outcome: LimitedOutcome<Answer>) -> Bool {
        let (isFirst, waiter) = state.withLock { state in
            switch state {
            case .running:
                state = .decided(outcome)
                return (true, nil as CheckedContinuation<LimitedOutcome<Answer>, Never>?)
            case .awaited(let waiter):
                state = .done
                return (true, waiter)
            case .decided, .done:
                return (false, nil)
            }
        }
        waiter?.resume(returning: outcome)
        return isFirst
    }

    private func outcome() async -> LimitedOutcome<Answer> {
        await withCheckedContinuation { waiter in
            let ready: LimitedOutcome<Answer>? = state.withLock { state in
                if case .decided(let outcome) = state {
                    state = .done
                    return outcome
                }
                state = .awaited(waiter)
                return nil
            }
            if let ready { waiter.resume(returning: ready) }
        }
    }
}
