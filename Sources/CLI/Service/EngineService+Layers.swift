import BackupEngine

extension EngineService {
    /// The time as storage layers know it.
    var layerClock: LayerClock {
        LayerClock(now: session.clock.uptime, sleep: { try await Task.sleep(for: $0) })
    }

    /// A limit for all targets that are given it; nil for no limit.
    /// - Parameter bytesPerSecond: 0 is no limit.
    func bandwidth(_ bytesPerSecond: Int) -> BandwidthMeter? {
        bytesPerSecond > 0 ? BandwidthMeter(bytesPerSecond: bytesPerSecond, clock: layerClock) : nil
    }

    /// What the layers of a target are made with.
    /// - Parameter bandwidth: limits all targets that are given the same one; nil is no limit.
    func layers(_ bandwidth: BandwidthMeter?, _ counters: StorageCounters) -> LayerSettings {
        var settings = LayerSettings(
            clock: layerClock, retry: RetryPolicy { Double.random(in: 0..<1) }, executor: pool)
        settings.bandwidth = bandwidth
        settings.counters = counters
        return settings
    }
}
