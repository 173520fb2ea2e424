import BackupAPI
import BackupCLI

/// The backups of the manual's samples.
enum BackupSamples {
    /// The full backup of `backup` and `list-backup`.
    static var full: BackupSummary {
        var summary = BackupSummary()
        summary.label = "20240928065644"
        summary.server = "primary"
        summary.backupByteCount = 8_531_968
        summary.restoreByteCount = 48_799_744
        summary.compression = "zstd"
        summary.majorVersion = 17
        summary.validity = .yes
        summary.targets = [TargetOutcome(target: "local", status: .complete, durability: .durable)]
        return summary
    }

    /// The backup of `info`.
    static var described: BackupSummary {
        var summary = full
        summary.label = "20241019163516"
        summary.backupByteCount = 6_857_687
        summary.restoreByteCount = 48_045_752
        summary.elapsedSeconds = 4
        summary.checkpointLSN = 0x4F00_00B8
        summary.startLSN = 0x4F00_0060
        summary.endLSN = 0x4F00_0158
        summary.startTimeline = 1
        summary.endTimeline = 1
        summary.chain = ["20241019163516"]
        summary.isKept = true
        summary.walSegment = "00000001000000000000004F"
        return summary
    }
}
