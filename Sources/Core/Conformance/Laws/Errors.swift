import BackupAPI

extension ConformanceBench {
    /// Checks `errors-have-reasons`: what is missing, what is only a folder, and ranges behind the end.
    func checkErrorsHaveReasons() async throws {
        let present = try key("folder/present")
        let bytes = Sample.bytes(1000, seed: 1)
        try await write(bytes, to: present)
        try await requireAbsent(try key("missing"), "where nothing was written")
        try await requireAbsent(try key("missing/in/a/folder"), "where nothing was written")
        try await requireAbsent(try key("folder/missing"), "beside an object")
        try await requireAbsent(try key("folder"), "for the name of a folder")
        try await requireAbsent(try key("folder/present/below"), "below an object")
        try await checkErrorNamesItsKey()

        for range in [
            ByteRange(offset: 1000, count: 10), ByteRange(offset: 1001, count: 1), ByteRange(offset: 1 << 40, count: 5),
            ByteRange(offset: 1000, count: 0), ByteRange(offset: 2000, count: 0),
        ] {
            try await requireNoBytes(present, range)
        }
        let empty = try key("empty")
        try await write([], to: empty)
        for range in [ByteRange(offset: 0, count: 10), ByteRange(offset: 0, count: 0), ByteRange(offset: 1, count: 1)] {
            try await requireNoBytes(empty, range)
        }
        let missingRange = try await reason {
            _ = try await read(try key("missing"), range: ByteRange(offset: 5, count: 5))
        }
        try require(
            missingRange == .notFound, "a run of a missing object gives \(ConformanceBench.words(missingRange))")
        let free = try await backend.freeByteCount()
        try require((free ?? 0) >= 0, "the free room is \(free ?? 0) bytes")
    }

    private func requireNoBytes(_ key: ObjectKey, _ range: ByteRange) async throws {
        let what = "a run of \(range.count) bytes at \(range.offset)"
        do {
            let found = try await read(key, range: range)
            try require(found.isEmpty, "\(what), behind the end, gives \(found.count) bytes")
        } catch let error as StorageError {
            throw LawViolation(words: "\(what), behind the end, throws: \(error.summary)")
        }
    }

    private func checkErrorNamesItsKey() async throws {
        let missing = try key("missing")
        do {
            _ = try await backend.stat(missing)
        } catch {
            try require(error.key == missing.string, "an error about '\(missing)' names '\(error.key ?? "nothing")'")
            try require(error.target == backend.displayName, "an error names the target '\(error.target)'")
            try require(
                !error.remedy.isEmpty && !error.summary.contains("\n"),
                "an error's summary has two lines, or there is no remedy")
        }
    }

    /// Checks `no-secret-is-printed`: in the place's own words and in every error that the other checks met.
    func checkNoSecretIsPrinted() async throws {
        var texts = [(source: "displayName", text: backend.displayName)]
        texts += backend.capabilities.remarks.map { ("a remark", $0) }
        texts.append(("a description of the backend", String(describing: backend)))
        texts += errorsMet.flatMap { error in
            [error.summary, error.remedy, error.detail ?? "", error.target, String(reflecting: error)]
                .map { ("an error's words", $0) }
        }
        try require(!backend.displayName.isEmpty, "displayName is empty")
        for secret in options.secrets where !secret.isEmpty {
            for (source, text) in texts where text.contains(secret.revealText()) {
                // The words of the report must not hold it either.
                throw LawViolation(words: "\(source) holds a secret")
            }
        }
    }
}
