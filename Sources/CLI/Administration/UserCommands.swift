package import ArgumentParser

/// `user add|edit|del|ls`.
package struct UserCommands: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Keep the passwords of PostgreSQL roles, sealed with the master key.",
        subcommands: [UserAddCommand.self, UserEditCommand.self, UserDeleteCommand.self, UserListCommand.self])

    @OptionGroup var options: AdministrationOptions

    package init() {}
}

/// A command about one user.
package protocol UserNameCommand: AdministrationCommand {
    /// The name as an argument.
    var argument: String? { get }
}

extension UserNameCommand {
    package var request: [String: OutputValue] {
        (argument ?? options.user).map { ["User": .string($0)] } ?? [:]
    }

    /// The name, from the argument or from `--user`.
    func userName() throws(UsageError) -> String {
        guard let name = argument ?? options.user, argument == nil || options.user == nil else {
            throw UsageError("one user is needed", remedy: "Name it as the last argument or with -U.")
        }
        try UsersStore.check(name)
        return name
    }

    /// Where the new password comes from.
    func passwordSource(_ session: Session) -> PasswordSource {
        PasswordSource(
            file: options.passwordFile, environmentValue: session.environment["PGMONETA_PASSWORD"])
    }

    /// What the reply says.
    func response(_ store: UsersStore, _ name: String) -> CommandAnswer {
        .response([
            "File": .string(store.path), "ServerVersion": .string(ProgramVersion.text), "User": .string(name),
        ])
    }
}

/// `user add <name>`.
package struct UserAddCommand: UserNameCommand {
    package static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a user; the password is asked for, or read from a file.")
    package static let name = CommandName.userAdd

    @OptionGroup package var options: AdministrationOptions

    @Argument(help: ArgumentHelp("The role's name in PostgreSQL.", valueName: "name"))
    package var argument: String?

    package init() {}

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let name = try userName()
        let store = options.usersStore(session)
        let password = try passwordSource(session).password(prompt: "Password of \(name)", shortest: 1)
        try store.add(name, password: password)
        return response(store, name)
    }
}

/// `user edit <name>`.
package struct UserEditCommand: UserNameCommand {
    package static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Change a user's password.")
    package static let name = CommandName.userEdit

    @OptionGroup package var options: AdministrationOptions

    @Argument(help: ArgumentHelp("The role's name in PostgreSQL.", valueName: "name"))
    package var argument: String?

    package init() {}

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let name = try userName()
        let store = options.usersStore(session)
        let password = try passwordSource(session).password(prompt: "Password of \(name)", shortest: 1)
        try store.edit(name, password: password)
        return response(store, name)
    }
}

/// `user del <name>`.
package struct UserDeleteCommand: UserNameCommand {
    package static let configuration = CommandConfiguration(commandName: "del", abstract: "Take a user out.")
    package static let name = CommandName.userDelete

    @OptionGroup package var options: AdministrationOptions

    @Argument(help: ArgumentHelp("The role's name in PostgreSQL.", valueName: "name"))
    package var argument: String?

    package init() {}

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let name = try userName()
        let store = options.usersStore(session)
        try store.remove(name)
        return response(store, name)
    }
}

/// `user ls`.
package struct UserListCommand: AdministrationCommand {
    package static let configuration = CommandConfiguration(commandName: "ls", abstract: "List the users.")
    package static let name = CommandName.userList

    @OptionGroup package var options: AdministrationOptions

    package init() {}

    package var request: [String: OutputValue] { [:] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let store = options.usersStore(session)
        return .response([
            "File": .string(store.path), "ServerVersion": .string(ProgramVersion.text),
            "Users": .list(try store.names().map { .string($0) }),
        ])
    }
}
