package import BackupAPI

/// The volumes that a restore of a snapshot reads, to see whether they are all there before anything is deleted for it.
package struct StoredVolumes: Sendable {
    private struct Volume: Sendable {
        let label: BackupLabel
        let key: ObjectKey
        let object: StoredObject
    }

    private let volumes: [Volume]

    /// - Throws: `.indexDamaged` when an index contradicts itself.
    package init(of snapshot: Snapshot) throws {
        volumes = try snapshot.parts.flatMap { part in
            let plan = try ArchivePlan(record: part.record, archive: part.archive)
            return try Self.numbers(part, plan, isNewest: part.record.label == snapshot.record.label).map {
                Volume(label: part.record.label, key: try plan.key(volume: $0), object: part.archive.volumes[$0])
            }
        }
    }

    /// All volumes of the backup itself; of its parents, those that hold something of the snapshot.
    private static func numbers(_ part: Snapshot.Part, _ plan: ArchivePlan, isNewest: Bool) -> [Int] {
        if isNewest { return Array(part.archive.volumes.indices) }
        var numbers: Set<Int> = []
        for extent in part.extents where extent.byteCount > 0 {
            let frames = plan.frames(holding: extent.source..<extent.source + extent.byteCount)
            numbers.formUnion(plan.volume(of: frames.lowerBound)...plan.volume(of: frames.upperBound - 1))
        }
        return numbers.sorted()
    }

    /// Looks at each volume; nothing is read.
    /// - Throws: `.objectDamaged` with the name of one that is missing, or not as long as it was written.
    package func require(on backend: any StorageBackend) async throws {
        let width = max(1, min(16, backend.capabilities.usefulConcurrency))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, volume) in volumes.enumerated() {
                if number >= width { try await group.next() }
                group.addTask { try await Self.require(volume, on: backend) }
            }
            while try await group.next() != nil {}
        }
    }

    private static func require(_ volume: Volume, on backend: any StorageBackend) async throws {
        let name = "'\(volume.object.path)' of \(volume.label)"
        guard let found = try await byteCount(of: volume.key, on: backend) else {
            throw EngineError(.objectDamaged, "\(name) is missing")
        }
        guard found == volume.object.bytes else {
            throw EngineError(
                .objectDamaged, "\(name) has \(found) bytes, the backup wrote \(volume.object.bytes)")
        }
    }

    private static func byteCount(
        of key: ObjectKey, on backend: any StorageBackend
    ) async throws(StorageError) -> Int? {
        do throws(StorageError) {
            return try await backend.stat(key).byteCount
        } catch {
            guard error.reason == .notFound else { throw error }
            return nil
        }
    }
}
