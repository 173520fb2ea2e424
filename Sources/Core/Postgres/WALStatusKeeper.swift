import Glibc
import Synchronization

/// Tells the server how far a stream of WAL is while its receiver waits. A server that hears nothing for `wal_sender_timeout` ends
/// the stream.
///
/// A connection is not made for two threads: the stream lends it for as long as it does not touch it itself.
final class WALStatusKeeper: Sendable {
    /// How far a stream is.
    struct Status: Sendable {
        /// The position behind the last byte that was taken.
        let received: LSN
        /// How far WAL is safe here; `zero` when that is not known.
        let safe: LSN

        /// The status as the server is told it.
        func message(wantsReply: Bool) -> [UInt8] {
            WALMessage.statusUpdate(
                received: received, safe: safe, wantsReply: wantsReply, microseconds: Self.microsecondsSince2000())
        }

        /// The time as the protocol wants it; the server only shows it in `pg_stat_replication`.
        private static func microsecondsSince2000() -> Int64 {
            var time = timespec()
            unsafe clock_gettime(CLOCK_REALTIME, &time)
            return (Int64(time.tv_sec) - 946_684_800) * 1_000_000 + Int64(time.tv_nsec) / 1000
        }
    }

    private let connection: Connection
    /// What to say; nil while the connection is not lent.
    private let lent = Mutex<Status?>(nil)

    init(_ connection: Connection) { self.connection = connection }

    /// Lends the connection until `takeBack`.
    func lend(_ status: Status) { lent.withLock { $0 = status } }

    /// Ends the loan; waits while a status is on its way.
    func takeBack() { lent.withLock { $0 = nil } }

    /// Sends a status at each interval at which the connection is lent, until the task is cancelled.
    func run(every interval: Duration) async {
        while (try? await Task.sleep(for: interval)) != nil {
            lent.withLock { status in
                guard let status else { return }
                // A fault is met by the stream itself, as soon as its receiver has returned.
                try? connection.putCopy(status.message(wantsReply: false), by: .now + .seconds(1), .wal)
            }
        }
    }
}
