/// How PostgreSQL goes on from a restored backup: what is added to `postgresql.auto.conf`, and the file that makes it recover
/// (documentation, "Archive Recovery", "Recovery Target").
package struct RecoverySettings: Sendable, Hashable {
    /// What the cluster becomes.
    package enum Signal: String, Sendable, Hashable {
        /// It recovers up to the target, and is a primary then.
        case recovery = "recovery.signal"
        /// It stays a standby.
        case standby = "standby.signal"
    }

    /// A setting and its value.
    package struct Parameter: Sendable, Hashable {
        package var name: String
        package var value: String

        /// Makes a setting.
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var signal: Signal
    package var parameters: [Parameter]

    /// Makes settings.
    package init(signal: Signal, parameters: [Parameter]) {
        self.signal = signal
        self.parameters = parameters
    }

    /// The lines of the configuration.
    var lines: [UInt8] {
        func quoted(_ value: String) -> String {
            "'" + value.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
        }
        let text = parameters.map { "\($0.name) = \(quoted($0.value))\n" }.joined()
        return Array("\n# Recovery, by pgmoneta-cli restore\n\(text)".utf8)
    }
}

extension BackupChain {
    /// The file tree of the backup, with what makes PostgreSQL recover.
    func snapshot(with recovery: RecoverySettings?) async throws -> Snapshot {
        var snapshot = try await snapshot()
        guard let recovery else { return snapshot }
        let path = "postgresql.auto.conf"
        if let file = snapshot.files.firstIndex(where: { $0.root == .data && $0.path == path }) {
            snapshot.setLiteral(try await content(ofFile: file, in: snapshot) + recovery.lines, ofFile: file)
        } else {
            snapshot.add(path, recovery.lines)
        }
        snapshot.add(recovery.signal.rawValue, [])
        return snapshot
    }
}

extension Snapshot {
    /// Adds a file of ours to the data directory.
    fileprivate mutating func add(_ path: String, _ content: [UInt8]) {
        files.append(
            File(
                root: .data, path: path, mode: 0o600, modifiedAt: Int64(record.endedAt), byteCount: content.count,
                literal: content))
    }
}
