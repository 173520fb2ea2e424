package import BackupAPI

/// The users file on disk, with the master key that opens it.
package struct UsersStore: Sendable {
    /// Where the file is.
    package let path: String
    private let cryptography: any Cryptography
    private let masterKey: @Sendable () throws -> MasterKeyFile

    /// Makes a store; nothing is read yet.
    /// - Parameter masterKey: finds the key; asked only when a password is opened or sealed.
    package init(
        path: String, cryptography: any Cryptography, masterKey: @escaping @Sendable () throws -> MasterKeyFile
    ) {
        self.path = path
        self.cryptography = cryptography
        self.masterKey = masterKey
    }

    /// The names, in file order; needs no key.
    package func names() throws -> [String] { try read().names }

    /// The password of a user; nil when the file has none for it.
    package func password(of name: String) throws -> Secret? {
        let users = try read()
        guard users.names.contains(name) else { return nil }
        do {
            return try users.password(
                of: name, key: masterKey().load().usersKey(cryptography), cryptography: cryptography)
        } catch let error as CodecError where error.reason == .notAuthentic {
            throw CommandError(
                .passwordNotAuthentic,
                "the password of '\(name)' in '\(path)' was sealed with another master key or altered",
                remedy: "Bring that master key back, or set the password again with 'pgmoneta-admin user edit'.")
        }
    }

    /// Adds a user.
    package func add(_ name: String, password: Secret) throws {
        try change { users in
            guard !users.names.contains(name) else {
                throw CommandError(
                    .userExists, "user '\(name)' is already in '\(path)'",
                    remedy: "Change the password with 'pgmoneta-admin user edit'.")
            }
            try set(name, password, &users)
        }
    }

    /// Changes a user's password.
    package func edit(_ name: String, password: Secret) throws {
        try change { users in
            guard users.names.contains(name) else { throw unknown(name) }
            try set(name, password, &users)
        }
    }

    /// Takes a user out.
    package func remove(_ name: String) throws {
        try change { users in
            guard users.remove(name) else { throw unknown(name) }
        }
    }

    /// Checks that a name can stand in the file.
    package static func check(_ name: String) throws(UsageError) {
        let isPrintable = name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        guard !name.isEmpty, name.utf8.count <= 63, !name.hasPrefix("#"), isPrintable else {
            throw UsageError(
                "'\(name)' is not a user's name",
                remedy: "Use at most 63 bytes without control characters, not first '#'.")
        }
    }

    private func set(_ name: String, _ password: Secret, _ users: inout UsersFile) throws {
        let key = try masterKey().load().usersKey(cryptography)
        try users.set(name, password: password, key: key, cryptography: cryptography)
    }

    private func change(_ body: (inout UsersFile) throws -> Void) throws {
        let result = try SmallFile.lockingDirectory(of: path) { () throws(CommandError) -> Result<Void, any Error> in
            Result {
                var users = try read()
                try body(&users)
                try SmallFile.replace(path, users.bytes)
            }
        }
        try result.get()
    }

    private func read() throws(CommandError) -> UsersFile {
        guard let contents = try SmallFile.read(path) else { return UsersFile() }
        return try UsersFile(contents.bytes, path: path)
    }

    private func unknown(_ name: String) -> CommandError {
        CommandError(
            .userUnknown, "there is no user '\(name)' in '\(path)'",
            remedy: "'pgmoneta-admin user ls' shows the users; 'user add' adds one.")
    }
}
