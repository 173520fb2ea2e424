/// What may change about a backup after its commit: one revision of it (docs/FORMAT.md, "Notes").
package struct BackupNotes: Sendable, Hashable, AuthenticatedText {
    /// What a verification found.
    package struct Verification: Sendable, Hashable, Codable {
        /// Seconds since 1970.
        package var at: Int
        package var isSound: Bool

        /// Makes a finding.
        package init(at: Int, isSound: Bool) {
            self.at = at
            self.isSound = isSound
        }
    }

    static let kind = "a revision of notes"
    static let info = "pgmoneta-notes-1"
    static let byteLimit = 32 << 20
    static let damage = EngineError.Reason.notesDamaged
    /// How many of the revisions before are named.
    static let ancestorLimit = 64

    package var format = Layout.formatVersion
    /// Random; names the revision, so that it is found among the ancestors of later ones.
    var id = ""
    /// The ids of the revisions that it follows, newest last.
    var ancestors: [String] = []
    package var server: String
    package var label: BackupLabel
    /// Counts from 1; 0 is no revision, which says nothing.
    package var revision = 0
    /// Seconds since 1970.
    package var changedAt = 0
    /// What people noted, by key.
    package var comments: [String: String] = [:]
    /// Whether the backup is left alone by retention, and deleted only by force.
    package var isKept = false
    /// The last verification, where one was noted.
    package var verification: Verification?
    var key: String?
    var authentication = ""

    /// Notes that say nothing yet.
    package init(server: String, label: BackupLabel) {
        self.server = server
        self.label = label
    }

    /// Whether two say the same to people.
    func says(sameAs other: BackupNotes) -> Bool {
        comments == other.comments && isKept == other.isKept && verification == other.verification
    }
}
