import BackupAPI
import BackupConformance
import Synchronization
import TestSupport

/// What goes wrong in one operation at one place, by chance but the same for the same numbers.
struct SoakFaults: Sendable {
    /// How the place fails.
    enum Kind: Sendable, CaseIterable {
        /// One call.
        case error
        /// One call, whose answer is lost.
        case lostAnswer
        /// From one call on nothing answers any more, so that nothing is cleaned up, as when the process was killed.
        case death
        /// From one call on nothing can be written.
        case fullDisk
        /// One transfer ends in the middle with an error.
        case cut
        /// One reading ends early without a word.
        case truncation
        /// Some calls take their time.
        case delay
    }

    let kind: Kind
    private let number: Int
    private let byteCount: Int

    init(_ numbers: inout SeededNumbers) {
        kind = Kind.allCases.randomElement(using: &numbers) ?? .error
        // A backup makes some dozens of calls.
        number = Int.random(in: 1...60, using: &numbers)
        byteCount = Int.random(in: 0...2_000_000, using: &numbers)
    }

    /// The place with these faults.
    /// - Parameter injected: counts them.
    func around(_ place: any StorageBackend, counting injected: SoakCount) -> FaultyBackend {
        FaultyBackend(place) { call in
            guard let fault = fault(in: call) else { return nil }
            injected.add()
            return fault
        }
    }

    private func fault(in call: FaultyCall) -> Fault? {
        let isWrite = [.beginWrite, .write, .commit].contains(call.kind)
        let error = StorageError(.permissionDenied, operation: .write, key: "x", target: "injected")
        switch kind {
        case .error: return call.number == number ? .failBefore(error) : nil
        case .lostAnswer: return call.number == number ? .failAfter(error) : nil
        case .death: return call.number >= number ? .failBefore(error) : nil
        case .fullDisk:
            let full = StorageError(.noSpace, operation: .write, key: "x", target: "injected")
            return call.number >= number && isWrite ? .failBefore(full) : nil
        case .cut:
            guard call.number >= number, call.number < number + 8 else { return nil }
            return call.kind == .beginWrite || call.kind == .openRead ? .cut(afterByteCount: byteCount, error) : nil
        case .truncation:
            guard call.number >= number, call.number < number + 8, call.kind == .openRead else { return nil }
            return .truncate(afterByteCount: byteCount)
        case .delay: return call.number % 16 == number % 16 ? .delay(.milliseconds(5)) : nil
        }
    }
}

/// Counts from several tasks.
final class SoakCount: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func add(_ number: Int = 1) { count.add(number, ordering: .relaxed) }
}
