package import BackupAPI

/// How a backup is to be copied from one target to another.
package struct CopyPlan: Sendable {
    /// The server's name, the same on both targets.
    package var server: String
    /// Whether the parents of an incremental backup are copied too, where they are missing.
    package var includesParents = false
    /// Where it is at hand, records are proven to be authentic. Nothing is decoded, so it is not needed.
    package var masterKey: MasterKey?
    package var cryptography: any Cryptography
    /// Who this is, for the lease.
    package var taker: LeaseTaker

    /// Makes a plan.
    package init(
        server: String, cryptography: any Cryptography, taker: LeaseTaker
    ) {
        self.server = server
        self.cryptography = cryptography
        self.taker = taker
    }
}

/// What was copied. The record and the checksum list of a backup are not counted.
package struct CopyOutcome: Sendable {
    /// The backup that was asked for.
    package let record: BackupRecord
    /// The backups that were not complete at the destination before, parents first.
    package internal(set) var copiedLabels: [BackupLabel] = []
    /// Bytes of the objects that were copied.
    package internal(set) var copiedByteCount = 0
    /// How many objects were copied.
    package internal(set) var copiedObjectCount = 0
    /// How many objects were there already, whole.
    package internal(set) var skippedObjectCount = 0
}
