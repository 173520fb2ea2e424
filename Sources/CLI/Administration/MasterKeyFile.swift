package import BackupAPI
package import BackupEngine
import Glibc

/// The file with the master key: made once, readable by its owner alone.
package struct MasterKeyFile: Sendable {
    /// Where it is.
    package let path: String
    private let cryptography: any Cryptography

    /// Makes a handle; nothing is read yet.
    package init(path: String, cryptography: any Cryptography) {
        self.path = path
        self.cryptography = cryptography
    }

    /// `~/.pgmoneta/master.key`.
    /// - Parameter option: names another file, for the remedy.
    package static func standardPath(
        _ environment: [String: String], option: String = "--master-key"
    ) throws(CommandError) -> String {
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw CommandError(
                .masterKeyMissing, "the master key is not found: the home directory is not known",
                remedy: "Set HOME, or name the file with \(option).")
        }
        return home + "/.pgmoneta/master.key"
    }

    /// Reads the key.
    /// - Throws: `.masterKeyMissing`, `.masterKeyReadable` when others than the owner could read or change it, and
    ///   `.masterKeyMalformed` when the key does not fit its id.
    package func load() throws -> MasterKey {
        guard let contents = try SmallFile.read(path) else {
            throw CommandError(
                .masterKeyMissing, "there is no master key at '\(path)'",
                remedy: "Bring the one that the data was encrypted with, or name it with --master-key; "
                    + "make the first one with 'pgmoneta-admin master-key'.")
        }
        guard contents.permissions & 0o077 == 0 else {
            throw CommandError(
                .masterKeyReadable,
                "the master key '\(path)' is open to others (mode \(String(contents.permissions, radix: 8)))",
                remedy: "Run 'chmod 600 \(path)', and make a new key if others may have read it.")
        }
        guard contents.owner == geteuid() || contents.owner == 0 || geteuid() == 0 else {
            throw CommandError(
                .masterKeyReadable, "the master key '\(path)' belongs to another user (id \(contents.owner))",
                remedy: "Run as that user, or make a master key of your own.")
        }
        guard let key = try MasterKeyText.key(in: contents.bytes, cryptography) else { throw malformed() }
        return key
    }

    /// Makes a new key with its directory (mode 0700); it is durable when this returns.
    /// - Parameter passphrase: nil makes a random key.
    /// - Throws: `.masterKeyExists`, with nothing changed.
    package func create(passphrase: Secret?) throws -> MasterKey {
        try makeDirectory()
        // Before the work of deriving a key; `create` below decides.
        guard try SmallFile.read(path) == nil else { throw exists() }
        let material: MasterKeyText.Material =
            if let passphrase {
                .passphrase(
                    passphrase, salt: try cryptography.randomBytes(32), cost: PassphraseStretch.standardCost)
            } else {
                .random(Secret(try cryptography.randomBytes(MasterKey.byteCount)))
            }
        let key = try MasterKeyText.key(of: material, cryptography)
        guard try SmallFile.create(path, MasterKeyText.write(material, id: key.id)) else { throw exists() }
        return key
    }

    private func makeDirectory() throws(CommandError) {
        let directory = SmallFile.directory(of: path)
        guard unsafe mkdir(directory, 0o700) != 0 else { return }
        guard errno == EEXIST else { throw .file("create", directory, errno: errno) }
        var status = stat()
        guard unsafe stat(directory, &status) == 0 else { throw .file("use", directory, errno: errno) }
        // Whoever can write the directory can put another key there.
        guard status.st_mode & 0o022 == 0 || status.st_mode & S_ISVTX != 0 else {
            throw CommandError(
                .masterKeyReadable, "others can write the directory '\(directory)'",
                remedy: "Run 'chmod 700 \(directory)'.")
        }
    }

    private func exists() -> CommandError {
        CommandError(
            .masterKeyExists, "there is already a master key at '\(path)'",
            remedy: "Keep it: data that it encrypted is lost without it. Use --file for another place.")
    }

    private func malformed() -> CommandError {
        CommandError(
            .masterKeyMalformed, "the master key '\(path)' is damaged or not a master key",
            remedy: "Bring back a copy of the file from a safe place.")
    }
}
