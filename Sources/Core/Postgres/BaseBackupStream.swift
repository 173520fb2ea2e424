import CLibpq

extension ReplicationSession {
    /// Takes a base backup and gives it to `receiver` as it comes.
    ///
    /// Nothing is read from the server while the receiver is busy. When the task is cancelled, or the receiver throws, the
    /// server is told to stop and the session is closed.
    /// - Returns: where the backup ends; only then is it complete.
    /// - Throws: `PostgresError`, or what the receiver threw.
    package func baseBackup(
        _ options: BaseBackupOptions, to receiver: any BaseBackupReceiver
    ) async throws -> BaseBackupEnd {
        try requireSupport(of: options)
        let stream = BaseBackupStream(connection: connection, options: options, receiver: receiver)
        let wakeup = connection.wakeup
        do {
            return try await withTaskCancellationHandler {
                try await stream.run(version: serverVersion)
            } onCancel: {
                wakeup.set()
            }
        } catch {
            connection.abandon()
            throw error
        }
    }
}

extension ReplicationSession {
    /// Looks whether the server's version can do what a base backup asks for.
    /// - Throws: `.unsupportedVersion`.
    package func requireSupport(of options: BaseBackupOptions) throws(PostgresError) {
        guard let fault = options.fault(for: serverVersion) else { return }
        throw PostgresError(.unsupportedVersion, .backup, server: server, detail: fault.detail, remedy: fault.remedy)
    }
}

/// Runs one `BASE_BACKUP` command. The order of its answers is the same in all versions; only the copy streams differ.
private struct BaseBackupStream {
    let connection: Connection
    let options: BaseBackupOptions
    let receiver: any BaseBackupReceiver

    func run(version: ServerVersion) async throws -> BaseBackupEnd {
        let limit = ContinuousClock.now + options.startTimeLimit
        try connection.send(options.command(for: version), by: limit, .backup)
        let position = try connection.expect(PGRES_TUPLES_OK, by: limit, .backup)
        let (startLSN, timeline) = try readPosition(position)
        let tablespaces = try connection.expect(PGRES_TUPLES_OK, by: limit, .backup).rows
        try await receiver.backupStarted(
            makeStart(startLSN: startLSN, timeline: timeline, tablespaces: tablespaces))

        if version.major >= 15 {
            try await receiveTaggedStream()
        } else {
            try await receiveSeparateStreams(tablespaces)
        }

        let (endLSN, endTimeline) = try readPosition(connection.expect(PGRES_TUPLES_OK, by: deadline(), .backup))
        // The server tells only now whether it found damaged pages.
        _ = try connection.finish(by: deadline(), .backup)
        return BaseBackupEnd(endLSN: endLSN, timeline: endTimeline)
    }

    /// Version 15 and later: one copy stream, in which messages name the archives.
    private func receiveTaggedStream() async throws {
        _ = try connection.expect(PGRES_COPY_OUT, by: deadline(), .backup)
        var part = Part.none
        while let message = try nextMessage() {
            switch unsafe BaseBackupMessage(message.buffer) {
            case .data:
                try await deliver(message, skipping: 1, to: part)
            case .progress:
                continue
            case .archive(let archive):
                if part == .archive { try await receiver.archiveEnded() }
                try await receiver.archiveStarted(archive)
                part = .archive
            case .manifest:
                if part == .archive { try await receiver.archiveEnded() }
                part = .manifest
            case nil:
                throw connection.error(.protocol, .backup, "an unknown message in the archive stream")
            }
        }
        if part == .archive { try await receiver.archiveEnded() }
    }

    /// Version 14: a copy stream for each row of the list of tablespaces, then one for the manifest.
    private func receiveSeparateStreams(_ tablespaces: [[String?]]) async throws {
        for row in tablespaces {
            let oid = row.first ?? nil
            _ = try connection.expect(PGRES_COPY_OUT, by: deadline(), .backup)
            let location = row.count > 1 ? row[1] : nil
            try await receiver.archiveStarted(oid.map { .init(name: $0, location: location) } ?? .base)
            while let message = try nextMessage() { try await deliver(message, skipping: 0, to: .archive) }
            try await receiver.archiveEnded()
        }
        guard options.manifestChecksums != nil else { return }
        _ = try connection.expect(PGRES_COPY_OUT, by: deadline(), .backup)
        while let message = try nextMessage() { try await deliver(message, skipping: 0, to: .manifest) }
    }

    private enum Part { case none, archive, manifest }

    private func deliver(_ message: borrowing CopyMessage, skipping count: Int, to part: Part) async throws {
        // The span lives in libpq's message, which lives until this call has returned.
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: message.buffer.dropFirst(count)).bytes
        switch part {
        case .archive: try await receiver.archiveBytes(bytes)
        case .manifest: try await receiver.manifestBytes(bytes)
        case .none: throw connection.error(.protocol, .backup, "data before the first archive")
        }
    }

    /// The stream's next message; nil at its end.
    private func nextMessage() throws(PostgresError) -> CopyMessage? {
        switch try connection.nextCopyEvent(by: deadline(), .backup) {
        case .message(let message): return message
        case .ended: return nil
        case .timedOut: throw connection.error(.timedOut, .backup)
        case .woken: throw connection.error(.timedOut, .backup)
        }
    }

    private func deadline() -> ContinuousClock.Instant { .now + options.silenceLimit }

    private func readPosition(_ result: ServerResult) throws(PostgresError) -> (LSN, Timeline) {
        guard let lsn = result.text(row: 0, column: 0).flatMap(LSN.init(_:)),
            let timeline = result.text(row: 0, column: 1).flatMap(Timeline.init(_:))
        else { throw connection.error(.protocol, .backup, "no position") }
        return (lsn, timeline)
    }

    private func makeStart(startLSN: LSN, timeline: Timeline, tablespaces rows: [[String?]]) -> BaseBackupStart {
        let sizes = rows.map { row in row.count > 2 ? row[2].flatMap { Int($0) } : nil }
        var tablespaces: [BaseBackupTablespace] = []
        for (row, size) in zip(rows, sizes) {
            guard row.count > 1, let oid = row[0], let location = row[1] else { continue }
            tablespaces.append(BaseBackupTablespace(oid: oid, location: location, sizeInKilobytes: size))
        }
        let total = options.progress ? sizes.reduce(0) { $0 + ($1 ?? 0) } * 1024 : nil
        return BaseBackupStart(
            startLSN: startLSN, timeline: timeline, tablespaces: tablespaces, estimatedByteCount: total)
    }
}
