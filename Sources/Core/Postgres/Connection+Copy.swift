import CLibpq
import Glibc

/// One message of a copy stream, in libpq's memory; freed with the value.
///
/// Safe, because the memory is its own, and `buffer` is marked.
@safe struct CopyMessage: ~Copyable {
    private let start: UnsafeMutablePointer<CChar>
    /// Bytes in the message, at least 1.
    let count: Int

    fileprivate init(owning start: UnsafeMutablePointer<CChar>, count: Int) {
        unsafe self.start = start
        self.count = count
    }

    deinit { unsafe PQfreemem(start) }

    /// The message's bytes, valid as long as the value.
    @unsafe var buffer: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: start, count: count) }
}

/// What came next in a copy stream.
enum CopyEvent: ~Copyable {
    /// A message.
    case message(CopyMessage)
    /// The other side has sent everything.
    case ended
    /// Nothing came until the deadline.
    case timedOut
    /// The other descriptor can be read.
    case woken
}

extension Connection {
    /// Waits for the next message of a copy from the server.
    /// - Throws: `.connectionLost`, `.cancelled`.
    func nextCopyEvent(
        by deadline: ContinuousClock.Instant, or descriptor: Int32 = -1, _ operation: PostgresError.Operation
    ) throws(PostgresError) -> CopyEvent {
        while true {
            var start: UnsafeMutablePointer<CChar>?
            let count = unsafe PQgetCopyData(handle, &start, 1)
            if let start = unsafe start { return unsafe .message(CopyMessage(owning: start, count: Int(count))) }
            if count == -1 { return .ended }
            guard count == 0 else { throw failure(operation) }
            switch try awaitInput(by: deadline, or: descriptor, operation) {
            case .ready: continue
            case .timedOut: return .timedOut
            case .woken: return .woken
            }
        }
    }

    /// Sends bytes of a copy to the server.
    func putCopy(
        _ bytes: [UInt8], by deadline: ContinuousClock.Instant, _ operation: PostgresError.Operation
    ) throws(PostgresError) {
        while true {
            let code = unsafe bytes.withUnsafeBytes { bytes in
                unsafe PQputCopyData(
                    handle, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
            }
            guard code >= 0 else { throw failure(operation) }
            try flush(by: deadline, operation)
            if code == 1 { return }
        }
    }

    /// Ends a copy to the server.
    func endCopy(
        by deadline: ContinuousClock.Instant, _ operation: PostgresError.Operation
    ) throws(PostgresError) {
        while true {
            let code = unsafe PQputCopyEnd(handle, nil)
            guard code >= 0 else { throw failure(operation) }
            try flush(by: deadline, operation)
            if code == 1 { return }
        }
    }
}
