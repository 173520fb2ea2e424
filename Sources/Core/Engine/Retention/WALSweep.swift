import BackupAPI

/// What of a WAL archive goes.
package struct ExpiredWAL: Sendable, Hashable {
    package var expiry: WALExpiry
    /// Files that PostgreSQL archived.
    package var fileCount = 0
    /// Stored bytes, remains of interrupted runs too.
    package var byteCount = 0

    package init(_ expiry: WALExpiry) { self.expiry = expiry }
}

/// Finds what of a WAL archive has expired, and deletes it, the oldest first: what stays has no gap, whenever it is cut short.
struct WALSweep: Sendable {
    private static let batch = 500
    private let backend: any StorageBackend
    private let server: String

    init(backend: any StorageBackend, server: String) {
        self.backend = backend
        self.server = server
    }

    /// Counts what has expired. Nothing is changed.
    func count(_ expiry: WALExpiry) async throws -> ExpiredWAL { try await walk(expiry) { _ in } }

    /// Deletes what has expired, of each file the record first.
    /// - Parameter mayGoOn: is asked before each deletion; what it throws ends the run.
    func delete(_ expiry: WALExpiry, mayGoOn: () async throws -> Void) async throws -> ExpiredWAL {
        var isTold = false
        let found = try await walk(expiry) { keys in
            if !isTold, let first = expiry.first {
                // A recovery that goes on in the meantime must not take what goes for the end of the log.
                try await mayGoOn()
                _ = try await backend.create(Layout.walFloor(server, first), bytes: Array(first.string.utf8))
                isTold = true
            }
            let records = keys.filter { Layout.walFile(ofRecord: $0, server) != nil }
            for part in [records, keys.filter { !records.contains($0) }] where !part.isEmpty {
                try await mayGoOn()
                if let failure = try await backend.delete(part).values.first { throw failure }
            }
        }
        if isTold { try await removeOlderFloors(than: expiry) }
        try await removeSummaries(expiry, mayGoOn)
        return found
    }

    /// Deletes what was found out about the log from before the first backup that stays: no backup will be built there.
    private func removeSummaries(_ expiry: WALExpiry, _ mayGoOn: () async throws -> Void) async throws {
        var expired: [ObjectKey] = []
        try await backend.forEachEntry(ListRequest(prefix: Layout.summaryPrefix(server))) { entry in
            guard case .object(let info) = entry, let range = Layout.summaryRange(of: info.key),
                expiry.expires(range.segment.place)
            else { return }
            expired.append(info.key)
        }
        guard !expired.isEmpty else { return }
        try await mayGoOn()
        if let failure = try await backend.delete(expired).values.first { throw failure }
    }

    /// Of the places that were told, the highest alone counts.
    private func removeOlderFloors(than expiry: WALExpiry) async throws {
        var older: [ObjectKey] = []
        try await backend.forEachEntry(ListRequest(prefix: Layout.walFloorPrefix(server))) { entry in
            guard case .object(let info) = entry, let segment = WALFileName(info.key.name),
                expiry.expires(segment.place)
            else { return }
            older.append(info.key)
        }
        guard !older.isEmpty, let failure = try await backend.delete(older).values.first else { return }
        throw failure
    }

    /// Hands out the keys of what has expired, all of a file together.
    private func walk(_ expiry: WALExpiry, _ body: ([ObjectKey]) async throws -> Void) async throws -> ExpiredWAL {
        var found = ExpiredWAL(expiry)
        guard expiry.first != nil else { return found }
        var keys: [ObjectKey] = []
        var last: UInt64?
        try await backend.forEachEntry(ListRequest(prefix: Layout.walPrefix(server))) { entry in
            guard case .object(let info) = entry, let place = Layout.walPlace(of: info.key, server),
                expiry.expires(place)
            else { return }
            if keys.count >= Self.batch, place != last {
                try await body(keys)
                keys = []
            }
            last = place
            keys.append(info.key)
            found.byteCount += info.byteCount
            if Layout.walFile(ofRecord: info.key, server) != nil { found.fileCount += 1 }
        }
        if !keys.isEmpty { try await body(keys) }
        return found
    }
}
