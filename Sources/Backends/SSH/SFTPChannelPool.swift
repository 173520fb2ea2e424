internal import BackupAPI
import Synchronization

/// A channel in somebody's hands, with what its server can do. Giving it back is dropping it.
final class ChannelLease: Sendable {
    /// The channel; others may use it at the same time.
    let channel: SFTPChannel
    /// What its server can do.
    let features: SFTPFeatures

    /// Takes over a user that was counted.
    init(_ channel: SFTPChannel, features: SFTPFeatures) {
        self.channel = channel
        self.features = features
    }

    deinit { channel.userCount.subtract(1, ordering: .relaxed) }
}

/// Up to a number of channels to one server, opened when they are needed; a broken one is dropped and replaced.
///
/// When all are in use, the one with the fewest users is shared: nobody waits for a channel, so open readers cannot block
/// each other.
final class SFTPChannelPool: Sendable {
    private struct State {
        var channels: [SFTPChannel] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let maximum: Int
    private let make: @Sendable () throws(SFTPFault) -> SFTPChannel

    /// Makes an empty pool of up to `maximum` channels.
    init(maximum: Int, make: @escaping @Sendable () throws(SFTPFault) -> SFTPChannel) {
        self.maximum = maximum
        self.make = make
    }

    /// Gives a channel whose session has begun.
    /// - Parameter fresh: whether it must be a new one, because those that are there may be broken without knowing it.
    func lease(fresh: Bool = false) async throws(SFTPFault) -> ChannelLease {
        let channel = try state.withLock { state throws(SFTPFault) in
            guard !state.isClosed else {
                throw .lost(ChannelLoss(.unavailable, detail: "the target was closed"))
            }
            state.channels.removeAll { $0.isLost }
            let quiet = state.channels.min {
                $0.userCount.load(ordering: .relaxed) < $1.userCount.load(ordering: .relaxed)
            }
            if !fresh, let quiet {
                let isIdle = quiet.userCount.load(ordering: .relaxed) == 0
                if isIdle || state.channels.count >= maximum {
                    quiet.userCount.add(1, ordering: .relaxed)
                    return quiet
                }
            }
            let channel = try make()
            channel.userCount.add(1, ordering: .relaxed)
            state.channels.append(channel)
            return channel
        }
        do throws(SFTPFault) {
            return ChannelLease(channel, features: try await channel.features())
        } catch {
            channel.userCount.subtract(1, ordering: .relaxed)
            throw error
        }
    }

    /// Makes calls that may be made twice: when the connection breaks, once more on a new one.
    func withChannel<Result>(
        _ body: (ChannelLease) async throws(SFTPFault) -> Result
    ) async throws(SFTPFault) -> Result {
        do throws(SFTPFault) {
            return try await body(try await lease())
        } catch {
            guard case .lost(let loss) = error, loss.wasEstablished, loss.reason == .unavailable else { throw error }
        }
        return try await body(try await lease(fresh: true))
    }

    /// Ends all channels and waits until their programs are gone.
    func close() async {
        let channels = state.withLock { state in
            state.isClosed = true
            defer { state.channels = [] }
            return state.channels
        }
        for channel in channels { channel.close() }
        for channel in channels { _ = await channel.end.value() }
    }

    deinit {
        for channel in state.withLock({ $0.channels }) { channel.close() }
    }
}
