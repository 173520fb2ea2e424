package import BackupAPI
import BackupEngine

/// Where a password comes from: a file, else the environment, else a person at the terminal. Never an argument.
package struct PasswordSource: Sendable {
    /// `--password-file`; `-` is standard input.
    package let file: String?
    /// `PGMONETA_PASSWORD`, where it may be used.
    package let environmentValue: String?

    /// Makes a source.
    package init(file: String?, environmentValue: String?) {
        self.file = file
        self.environmentValue = environmentValue
    }

    /// Gets the password; a person types it twice.
    /// - Parameters:
    ///   - prompt: what is asked for, such as `Password of repl`.
    ///   - shortest: the least number of characters.
    package func password(prompt: String, shortest: Int) throws -> Secret {
        let password: Secret
        if let file {
            password = try read(file)
        } else if let environmentValue, !environmentValue.isEmpty {
            password = Secret(environmentValue)
        } else {
            password = try Terminal.readHidden(prompt: "\(prompt): ")
            guard try Terminal.readHidden(prompt: "\(prompt), again: ") == password else {
                throw CommandError(.passwordUnusable, "the two inputs differ", remedy: "Type the same text twice.")
            }
        }
        return try Self.checked(password, shortest: shortest)
    }

    /// The first line of the file, without its end.
    private func read(_ file: String) throws -> Secret {
        let path = file == "-" ? "/dev/stdin" : file
        guard let contents = try SmallFile.read(path) else {
            throw CommandError(.fileFailed, "there is no file '\(path)'", remedy: "Check --password-file.")
        }
        guard file == "-" || contents.permissions & 0o077 == 0 else {
            throw CommandError(
                .passwordUnusable, "the password file '\(path)' is open to others", remedy: "Run 'chmod 600 \(path)'.")
        }
        return Self.firstLine(contents.bytes)
    }

    /// The first line of some text, without its end.
    static func firstLine(_ bytes: [UInt8]) -> Secret {
        var line = Array(bytes.prefix { $0 != 0x0A })
        if line.last == 0x0D { line.removeLast() }
        return Secret(line)
    }

    /// A password that can be used.
    static func checked(_ password: Secret, shortest: Int) throws(CommandError) -> Secret {
        let bytes = password.reveal()
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0), bytes.count <= 8_192 else {
            throw CommandError(
                .passwordUnusable, "the password is not text of at most 8192 bytes",
                remedy: "Use UTF-8 text without NUL.")
        }
        guard text.count >= shortest else {
            throw CommandError(
                .passwordUnusable, "the password has fewer than \(shortest) characters",
                remedy: "Use \(shortest) characters or more.")
        }
        return password
    }
}
