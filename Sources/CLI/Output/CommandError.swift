package import BackupAPI
import BackupEngine
import PostgresClient

/// A fault of a command itself, outside the engine.
package struct CommandError: Remediable, Hashable {
    /// The kinds of fault; the raw value is the stable code.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case interrupted, unexpected
        case fileFailed = "file-failed"
        case unknownServer = "unknown-server"
        case unknownSetting = "unknown-setting"
        case someTargetsFailed = "some-targets-failed"
        case verificationDamage = "verification-damage"
        case targetBroken = "target-broken"
        case masterKeyMissing = "master-key-missing"
        case masterKeyExists = "master-key-exists"
        case masterKeyReadable = "master-key-readable"
        case masterKeyMalformed = "master-key-malformed"
        case usersMalformed = "users-malformed"
        case userExists = "user-exists"
        case userUnknown = "user-unknown"
        case daemonAbsent = "daemon-absent"
        case hotStandbyFailed = "hot-standby-failed"
        case passwordUnusable = "password-unusable"
        case passwordUnavailable = "password-unavailable"
        case passwordNotAuthentic = "password-not-authentic"
    }

    /// The kind of fault.
    package let kind: Kind
    package let summary: String
    package let remedy: String

    /// Makes an error.
    package init(_ kind: Kind, _ summary: String, remedy: String) {
        self.kind = kind
        self.summary = summary
        self.remedy = remedy
    }

    package var code: String { kind.rawValue }
    package var retry: RetryAdvice { kind == .daemonAbsent ? .later : .never }
}

extension CommandError {
    /// Anything that was thrown, as an error with words.
    package static func remediable(_ error: any Error) -> any Remediable {
        if isInterruption(error) { return interrupted }
        if let known = error as? any Remediable { return known }
        return CommandError(
            .unexpected, "something unexpected happened (\(error))",
            remedy: "Run the command again with -v, and report it with what it prints.")
    }

    /// Whether an error says that the task was cancelled, whoever says it.
    package static func isInterruption(_ error: any Error) -> Bool {
        switch error {
        case is CancellationError: true
        case let error as CommandError: error.kind == .interrupted
        case let error as StorageError: error.reason == .cancelled
        case let error as PostgresError: error.reason == .cancelled
        case let error as EngineError: error.reason == .cancelled
        default: false
        }
    }

    /// The user stopped the command.
    package static var interrupted: CommandError {
        CommandError(.interrupted, "the command was interrupted", remedy: "Run the command again.")
    }
}
