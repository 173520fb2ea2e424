package import ArgumentParser
package import BackupEngine

/// What `annotate` does with a comment.
package enum AnnotateAction: String, Sendable, CaseIterable, ExpressibleByArgument {
    case add, update, remove
}

/// `annotate <server> <identifier> add|update|remove <key> [comment]`.
package struct AnnotateCommand: ServiceCommand {
    /// Most bytes of a key, and of a comment.
    package static let byteLimit = (key: 1024, comment: 1 << 20)

    package static let configuration = CommandConfiguration(
        commandName: "annotate", abstract: "Add, update or remove a comment about a backup.")
    package static let name = CommandName.annotate

    @OptionGroup package var options: CommonOptions

    @Option(help: ArgumentHelp("Read the comment from a file; '-' is standard input.", valueName: "file"))
    var commentFile: String?

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Argument(help: "The backup: oldest, newest, latest, a label or its beginning.")
    var identifier: String

    @Argument(help: "What to do: add, update or remove.")
    var action: AnnotateAction

    @Argument(help: "The comment's key.")
    var key: String

    @Argument(help: "The comment.")
    var comment: String?

    package init() {}

    package var request: [String: OutputValue] {
        var fields: [String: OutputValue] = [
            "Action": .string(action.rawValue), "Backup": .string(identifier), "Key": .string(key),
            "Server": .string(server),
        ]
        fields["Comment"] = comment.map { .string($0) }
        return fields
    }

    /// The change that the arguments ask for.
    package func parsedEdit() throws -> NotesEdit {
        guard !key.isEmpty, key.utf8.count <= Self.byteLimit.key else {
            throw UsageError(
                "the key is empty or has more than \(Self.byteLimit.key) bytes", remedy: "Use another key.")
        }
        switch action {
        case .add: return .add(key: key, comment: try text())
        case .update: return .update(key: key, comment: try text())
        case .remove:
            guard comment == nil, commentFile == nil else {
                throw UsageError(
                    "remove takes no comment", remedy: "Write annotate <server> <identifier> remove <key>.")
            }
            return .remove(key: key)
        }
    }

    private func text() throws -> String {
        let text = try comment ?? fileText()
        guard let text, comment == nil || commentFile == nil else {
            throw UsageError("\(action) takes one comment", remedy: "Give it behind the key, or with --comment-file.")
        }
        guard text.utf8.count <= Self.byteLimit.comment else {
            throw EngineError(.commentTooLong, "\(text.utf8.count) bytes, and 1 MiB is the most")
        }
        return text
    }

    private func fileText() throws -> String? {
        guard let commentFile else { return nil }
        let path = commentFile == "-" ? "/dev/stdin" : commentFile
        guard let bytes = try SmallFile.read(path)?.bytes, let text = String(validating: bytes, as: UTF8.self) else {
            throw UsageError("'\(path)' is no file of UTF-8 text", remedy: "Check --comment-file.")
        }
        return text
    }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let identifier = try BackupIdentifier(identifier)
        let edit = try parsedEdit()
        let context = try await ServiceContext(self, session)
        let request = NotesRequest(
            command: Self.name, server: context.server, targets: context.targets, identifier: identifier, edit: edit,
            cascades: false)
        let answer = try await context.service.note(request)
        return .response(context.replies.annotate(answer), changed: answer.summary.targets) {
            "backup \(answer.summary.label) is not annotated on \($0)"
        }
    }
}

/// `retain` and `expunge`: say whether a backup is kept.
package protocol KeepCommand: ServiceCommand {
    /// What the command says.
    static var isKept: Bool { get }
    /// Whether it says it of the backups that the backup builds on, too.
    var cascade: Bool { get }
    /// The backup.
    var identifier: String { get }
}

extension KeepCommand {
    package var request: [String: OutputValue] {
        ["Backup": .string(identifier), "Cascade": .bool(cascade), "Server": .string(server)]
    }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let identifier = try BackupIdentifier(identifier)
        let context = try await ServiceContext(self, session)
        let request = NotesRequest(
            command: Self.name, server: context.server, targets: context.targets, identifier: identifier,
            edit: .keep(Self.isKept), cascades: cascade)
        let answer = try await context.service.note(request)
        return .response(context.replies.retain(answer), changed: answer.summary.targets) {
            "backup \(answer.summary.label) is \(Self.isKept ? "not" : "still") kept on \($0)"
        }
    }
}

/// `retain [--cascade] <server> <identifier>`.
package struct RetainCommand: KeepCommand {
    package static let configuration = CommandConfiguration(
        commandName: "retain", abstract: "Keep a backup: retention leaves it alone, and 'delete' needs --force.")
    package static let name = CommandName.retain
    package static let isKept = true

    @OptionGroup package var options: CommonOptions

    @Flag(help: "Keep all backups that it builds on, too.")
    package var cascade = false

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Argument(help: "The backup: oldest, newest, latest, a label or its beginning.")
    package var identifier: String

    package init() {}
}

/// `expunge [--cascade] <server> <identifier>`.
package struct ExpungeCommand: KeepCommand {
    package static let configuration = CommandConfiguration(
        commandName: "expunge", abstract: "Let go of a backup that was kept.")
    package static let name = CommandName.expunge
    package static let isKept = false

    @OptionGroup package var options: CommonOptions

    @Flag(help: "Let go of all backups that it builds on, too.")
    package var cascade = false

    @Argument(help: "The server's name in the configuration.")
    package var server: String

    @Argument(help: "The backup: oldest, newest, latest, a label or its beginning.")
    package var identifier: String

    package init() {}
}
