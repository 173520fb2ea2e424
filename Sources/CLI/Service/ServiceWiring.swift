import ArgumentParser

/// Where the engine meets the commands.
package enum ServiceWiring {
    /// Makes the engine's services.
    package static let makeService: Session.ServiceMaker = { session, configuration, options in
        EngineService(session: session, configuration: configuration, options: options)
    }

    /// The commands that need the engine's services.
    static let commands: [any ParsableCommand.Type] = [
        BackupCommand.self, ProgressCommand.self, ListBackupCommand.self, InfoCommand.self, VerifyCommand.self,
        RestoreCommand.self, ArchiveCommand.self, CopyCommand.self, DeleteCommand.self, AnnotateCommand.self,
        RetainCommand.self,
        ExpungeCommand.self, RetentionCommand.self, WALPushCommand.self, WALFetchCommand.self, WALCommands.self,
    ]
}
