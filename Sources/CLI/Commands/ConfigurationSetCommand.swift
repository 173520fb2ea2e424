package import ArgumentParser
import BackupEngine
import Glibc

/// `conf set <key> <value>`.
package struct ConfigurationSetCommand: UserCommand {
    package static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change one setting in the configuration file.",
        discussion: "A change that makes the file faulty is refused. A daemon that runs reads the file again.")
    package static let name = CommandName.configurationSet

    @OptionGroup package var options: CommonOptions

    @Argument(help: "The setting: KEY, pgmoneta.KEY, server.NAME.KEY or target.NAME.KEY.")
    var key: String

    @Argument(help: "Its new value, as it stands in the file.")
    var value: String

    package init() {}

    /// The value may be a secret.
    package var request: [String: OutputValue] { ["ConfigKey": .string(key)] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        guard !value.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 }) else {
            throw UsageError("a value has one line", remedy: "Leave line ends and control characters out.")
        }
        let (section, name, shownName) = try Self.place(of: key)
        let path = Self.file(options.configurationPath(session.environment))
        let old = try? session.checkedConfiguration(path: path)
        let new = try SmallFile.lockingDirectory(of: path) { () throws(CommandError) in
            Result {
                let text = try ConfigurationFile.text(path)
                guard let changed = INIEdit.text(text, setting: name, to: value, inSection: section) else {
                    throw CommandError(
                        .unknownSetting, "there is no section [\(section)] in \(path)",
                        remedy: "Add the section by hand; 'conf get' shows those that are there.")
                }
                let configuration = try session.checkedConfiguration(text: changed, path: path)
                if changed != text { try SmallFile.rewrite(path, Array(changed.utf8)) }
                return configuration
            }
        }.get()
        let isReloaded = (try? DaemonClient(path: session.daemonSocket(old ?? new)).ask(.reload)) != nil
        return .response([
            "ConfigKey": .string(shownName), "File": .string(path),
            "NewValue": .string(Self.value(section, name, new)), "OldValue": .string(Self.value(section, name, old)),
            "Reloaded": .bool(isReloaded), "ServerVersion": .string(ProgramVersion.text),
        ])
    }

    /// The section and the key in it that a name of `conf get` stands for.
    private static func place(of key: String) throws(UsageError) -> (section: String, key: String, shown: String) {
        let parts = key.split(separator: ".", omittingEmptySubsequences: false)
        let middle = parts.dropFirst().dropLast().joined(separator: ".")
        let last = String(parts.last ?? "")
        switch (parts.first, parts.count) {
        case (_, 1): return ("pgmoneta", last, "pgmoneta.\(last)")
        case ("pgmoneta", 2): return ("pgmoneta", last, key)
        case ("server", 3...): return (middle, last, key)
        case ("target", 3...): return ("target:\(middle)", last, key)
        default:
            throw UsageError(
                "'\(key)' is no name of a setting",
                remedy: "Write KEY, pgmoneta.KEY, server.NAME.KEY or target.NAME.KEY; 'conf get' shows them.")
        }
    }

    /// The value that counts, as `conf get` shows it.
    private static func value(_ section: String, _ key: String, _ configuration: Configuration?) -> String {
        configuration?.shown.first { $0.section == section && $0.key == key }?.value ?? ""
    }

    /// The file itself, where the path is a link to it.
    private static func file(_ path: String) -> String {
        guard let whole = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(whole) }
        return unsafe String(cString: whole)
    }
}
