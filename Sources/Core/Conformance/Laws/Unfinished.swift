import BackupAPI

extension ConformanceBench {
    /// Checks `list-hides-temporaries`: uploads under way are in no listing, and their empty folders neither.
    func checkListHidesTemporaries() async throws {
        let visible = try key("visible/object")
        try await write([1], to: visible)
        try await withUnfinishedUploads { _ in
            for connection in [backend, other] {
                let names = try await listedNames(on: connection)
                try require(names == ["visible/object"], "during uploads, \(names) is listed")
                let folders = try await listedNames(on: connection, isShallow: true)
                try require(folders == ["visible/"], "during uploads, the folders \(folders) are listed")
                let page = try await connection.list(ListRequest(prefix: folder, limit: 1))
                try require(page.entries.count == 1, "during uploads, the first page is empty")
            }
        }
    }

    /// Checks `sweep-is-careful`: it spares objects and what is under way, on this connection and on another.
    func checkSweepIsCareful() async throws {
        let visible = try key("visible/object")
        try await write([1], to: visible)
        try await withUnfinishedUploads { uploads in
            _ = try await other.sweepUnfinished(prefix: folder)
            _ = try await backend.sweepUnfinished(prefix: folder)
            while let (key, driver) = uploads.popLast() {
                try await must("an upload under way during a sweep") {
                    try await driver.write(bytes: [9])
                    try await driver.commit()
                }
                let told = try await other.stat(key).byteCount
                try require(told == unfinishedByteCount + 1, "an upload under way has \(told) bytes after a sweep")
            }
        }
        try await requirePresent(visible, [1], "after a sweep")
        let again = try await backend.sweepUnfinished(prefix: folder)
        try require(again == 0, "a sweep of a place without remains removes \(again)")
        let elsewhere = try await backend.sweepUnfinished(prefix: folder + "no-such-folder/")
        try require(elsewhere == 0, "a sweep of an empty place removes \(elsewhere)")
    }

    private var unfinishedByteCount: Int { 300_000 }

    /// Holds uploads open during `body`, and aborts those that it leaves in the list.
    private func withUnfinishedUploads(
        _ body: (inout [(ObjectKey, any UploadDriver)]) async throws -> Void
    ) async throws {
        var uploads: [(ObjectKey, any UploadDriver)] = []
        do {
            for (index, name) in ["visible/second", "hidden/object", "hidden/deeper/object", "top"].enumerated() {
                let key = try key(name)
                let driver = try await backend.beginWrite(key, options: WriteOptions(ifAbsent: index % 2 == 1))
                uploads.append((key, driver))
                try await driver.write(bytes: Sample.bytes(unfinishedByteCount, seed: UInt64(index)))
            }
            try await body(&uploads)
        } catch {
            for (_, driver) in uploads { await driver.abort() }
            throw error
        }
        for (_, driver) in uploads { await driver.abort() }
    }
}
