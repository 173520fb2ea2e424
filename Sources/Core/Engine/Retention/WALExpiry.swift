/// Decides which files of a WAL archive go with the backups that are gone: a pure function of the backups that stay.
///
/// A recovery reads the log from where its backup began, and positions in the log ascend on every way through the timelines. So
/// what stands before the beginning of all backups is needed by none, on whichever timeline it is. Histories of timelines stay:
/// they are small, and every recovery asks for them.
package struct WALExpiry: Sendable, Hashable {
    /// A backup that stays.
    package struct Backup: Sendable, Hashable {
        package var label: BackupLabel
        /// The first segment that it needs; nil where its record does not tell.
        package var first: WALFileName?

        package init(label: BackupLabel, first: WALFileName?) {
            self.label = label
            self.first = first
        }
    }

    /// Why files go, or why none does.
    package enum Reason: Sendable, Hashable, CustomStringConvertible {
        /// The backup needs the log from its beginning on.
        case neededBy(BackupLabel)
        /// There is no backup: what the log belongs to may be on another target.
        case noBackup
        /// Nobody can tell now where the backup begins.
        case unknown(BackupLabel)

        package var description: String {
            switch self {
            case .neededBy(let label): "needed by \(label)"
            case .noBackup: "there is no backup here"
            case .unknown(let label): "may be needed by \(label), which cannot be read now"
            }
        }
    }

    /// The first segment that stays, as far as a backup needs it; nil when none goes.
    package let first: WALFileName?
    package let reason: Reason

    /// Decides by the backups that stay on a target.
    package init(remaining backups: [Backup]) {
        if let unknown = backups.first(where: { $0.first == nil }) {
            (first, reason) = (nil, .unknown(unknown.label))
            return
        }
        let oldest = backups.min { ($0.first?.place ?? 0, $0.label) < ($1.first?.place ?? 0, $1.label) }
        first = oldest?.first
        reason = oldest.map { .neededBy($0.label) } ?? .noBackup
    }

    /// Whether what stands at a place in the log goes.
    package func expires(_ place: UInt64) -> Bool { first.map { place < $0.place } ?? false }
}
