import Synchronization

/// Hands elements from some tasks to others, first in, first out.
///
/// It does not bound anything. What travels in the pipe are frames, of which there is a fixed number: who needs a free one
/// waits for it at the mailbox of the free ones, and that is what makes a fast stage wait for a slow one.
package final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element?] = []
        var first = 0
        var waiters: [(id: Int, continuation: CheckedContinuation<Element?, any Error>)] = []
        var cancelledWaiters: Set<Int> = []
        var nextID = 0
        var end: Result<Void, any Error>?
    }

    private let state = Mutex(State())

    /// Makes an empty mailbox.
    package init() {}

    /// Adds an element; one that comes after the end is dropped.
    package func send(_ element: Element) {
        let waiter: CheckedContinuation<Element?, any Error>? = state.withLock { state in
            guard state.end == nil else { return nil }
            if !state.waiters.isEmpty { return state.waiters.removeFirst().continuation }
            state.elements.append(element)
            return nil
        }
        waiter?.resume(returning: element)
    }

    /// Says that nothing more comes. Elements that are still there are delivered; then every receiver gets nil.
    package func finish() { end(.success(()), keepsElements: true) }

    /// Ends with an error that every receiver gets at once.
    package func fail(_ error: any Error) { end(.failure(error), keepsElements: false) }

    /// Takes the oldest element, or waits for one.
    /// - Returns: nil after `finish`, when nothing is left.
    /// - Throws: the error of `fail`; `CancellationError` when the waiting task is cancelled.
    package func next() async throws -> Element? {
        if let ready = try state.withLock({ state in try Mailbox.take(&state) }) { return ready }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Element?, any Error>? = state.withLock { state in
                    if state.cancelledWaiters.remove(id) != nil { return .failure(CancellationError()) }
                    do {
                        if let element = try Mailbox.take(&state) { return .success(element) }
                        if state.end != nil { return .success(nil) }
                    } catch {
                        return .failure(error)
                    }
                    state.waiters.append((id, continuation))
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let waiter: CheckedContinuation<Element?, any Error>? = state.withLock { state in
                if let index = state.waiters.firstIndex(where: { $0.id == id }) {
                    return state.waiters.remove(at: index).continuation
                }
                state.cancelledWaiters.insert(id)
                return nil
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    private static func take(_ state: inout State) throws -> Element? {
        if case .failure(let error) = state.end { throw error }
        guard state.first < state.elements.count else { return nil }
        let element = state.elements[state.first]
        state.elements[state.first] = nil
        state.first += 1
        if state.first == state.elements.count || state.first > 256 {
            state.elements.removeFirst(state.first)
            state.first = 0
        }
        return element
    }

    private func end(_ outcome: Result<Void, any Error>, keepsElements: Bool) {
        let waiters = state.withLock { state in
            if state.end == nil { state.end = outcome }
            if !keepsElements {
                state.elements.removeAll()
                state.first = 0
            }
            defer { state.waiters.removeAll() }
            return state.waiters
        }
        for waiter in waiters {
            switch outcome {
            case .success: waiter.continuation.resume(returning: nil)
            case .failure(let error): waiter.continuation.resume(throwing: error)
            }
        }
    }
}
