import BackupAPI

/// Deletes backups of one server on one target, children before their parents, each with its record first: whenever it is cut
/// short, what is listed is whole.
package struct BackupDeletion: Sendable {
    /// How far a label may be ahead of the clock for backups that were made in less than a second; behind one that is further, the
    /// clock was set back.
    private static let leadLimitInSeconds = 30
    private let catalog: Catalog
    private let taker: LeaseTaker

    package init(catalog: Catalog, taker: LeaseTaker) {
        self.catalog = catalog
        self.taker = taker
    }

    /// Deletes a backup. When it returns, nothing of it is on the target.
    ///
    /// The lease is held until the label's second is over, so that the next backup has another label, and whoever was told of this
    /// one, and annotates or deletes it now, means no other.
    /// - Parameters:
    ///   - cascades: whether the backups that build on it go too.
    ///   - isForced: whether kept backups go too.
    /// - Returns: the labels of those that were deleted, in that order.
    /// - Throws: `.isParent` when others build on it and `cascades` is false, or when one that cannot be read now may do so and it is
    ///   not forced; `.backupKept`; `.unknownBackup`; `.busy` while another run adds or deletes backups.
    package func run(_ label: BackupLabel, cascades: Bool, isForced: Bool = false) async throws -> [BackupLabel] {
        let backend = catalog.repository.backend
        let lease = try await taker.takeBackupLease("delete", server: catalog.server, on: backend)
        return try await lease.hold {
            let entries = try await catalog.entries()
            guard entries.contains(where: { $0.label == label }) else {
                throw EngineError(.unknownBackup, "'\(label)' of '\(catalog.server)' at \(backend.displayName)")
            }
            let younger = Self.descendants(of: label, in: entries)
            guard younger.isEmpty || cascades else {
                let names = younger.map(\.string).joined(separator: ", ")
                throw EngineError(.isParent, "\(label) is what \(names) at \(backend.displayName) builds on")
            }
            if !isForced, let unknown = entries.last(where: \.isUnknown)?.label, unknown > label {
                throw EngineError(
                    .isParent, "\(unknown) at \(backend.displayName) cannot be read now, and may build on \(label)",
                    remedy: "See why with 'pgmoneta-cli info \(catalog.server) \(unknown)'; or use --force.")
            }
            let sweep = OrphanSweep(backend: backend, server: catalog.server)
            let doomed = younger.reversed() + [label]
            if !isForced { for label in doomed { try await catalog.requireNotKept(label) } }
            for label in doomed {
                // Somebody may have decided so since.
                if !isForced { try await catalog.requireNotKept(label) }
                // Without the lease another run may be building on it by now.
                try await lease.requireHeld()
                try await sweep.remove(label)
            }
            if let newest = doomed.first {
                let seconds = newest.secondsSince1970 + 1 - taker.clock()
                if (1...Self.leadLimitInSeconds).contains(seconds) { try? await Task.sleep(for: .seconds(seconds)) }
            }
            return Array(doomed)
        }
    }

    /// The backups that build on one, directly or not, oldest first.
    private static func descendants(of label: BackupLabel, in entries: [CatalogEntry]) -> [BackupLabel] {
        var family: Set<BackupLabel> = [label]
        for entry in entries {
            // Children are younger, so their parents were looked at before.
            guard case .success(let record) = entry.record, let parent = record.parent, family.contains(parent) else {
                continue
            }
            family.insert(record.label)
        }
        return family.subtracting([label]).sorted()
    }
}

extension CatalogEntry {
    /// Whether nobody can tell now what its record says; of a damaged one it is known that no restore can use it.
    fileprivate var isUnknown: Bool {
        guard case .failure(let error) = record else { return false }
        return !error.isDamage
    }
}
