import ArgumentParser

/// Where the engine meets the commands: the one place to change when a service is added.
enum ServiceWiring {
    /// Makes the engine's services; nil while this program has none.
    static let makeService: Session.ServiceMaker? = nil

    /// The commands that need the engine's services; they are offered only where there are services.
    static let commands: [any ParsableCommand.Type] = [
        BackupCommand.self, ListBackupCommand.self, InfoCommand.self, VerifyCommand.self, RestoreCommand.self,
    ]
}
