package import ArgumentParser
import BackupAPI
package import BackupEngine

/// A command that turns one file into another form, in place.
package protocol FileCommand: UserCommand {
    /// The file's path.
    var file: String { get }
    /// Chooses what is done to the file.
    func conversion(_ session: Session) throws -> FileConversion.Direction
}

extension FileCommand {
    package var request: [String: OutputValue] { ["SourceFile": .string(file)] }

    package func answer(_ session: Session) async throws -> CommandAnswer {
        let direction = try conversion(session)
        let workers = min(max(1, Session.processorCount), ServerSettings.largestStandardWorkerCount)
        let outcome = try await session.withProgress("\(Self.name.rawValue) \(file)", isShown: !options.noProgress) {
            let conversion = FileConversion(direction, workers: workers, progress: $0)
            return try await withTaskExecutorPreference(BlockingPool()) { try await conversion.run(file) }
        }
        return .response([
            "DestinationFile": .string(outcome.path), "DestinationSize": .size(outcome.resultByteCount),
            "ServerVersion": .string(ProgramVersion.text), "SourceSize": .size(outcome.sourceByteCount),
        ])
    }
}

/// `encrypt <file>`.
package struct EncryptCommand: FileCommand {
    package static let configuration = CommandConfiguration(
        commandName: "encrypt", abstract: "Encrypt a file in place; '.aes' is added to its name.")
    package static let name = CommandName.encrypt

    @OptionGroup package var options: CommonOptions

    @Option(help: "How, such as aes-256-gcm; as the configuration says where it is left out.")
    var encryption: String?

    @Argument(help: "The file.")
    package var file: String

    package init() {}

    package func conversion(_ session: Session) throws -> FileConversion.Direction {
        let codecs = session.kit.codecs
        try codecs.requirePlain(file, .encryption)
        let chosen = try encryption ?? session.configuration(options).global.encryption
        let factory = try codecs.factory(.encryption, named: chosen)
        let master = try options.secret.source().load(session).requiredForFiles()
        return .encode(try factory.make(nil, FileKeys.ring(master, session.kit.cryptography)))
    }
}

/// `decrypt <file>`.
package struct DecryptCommand: FileCommand {
    package static let configuration = CommandConfiguration(
        commandName: "decrypt", abstract: "Decrypt a file in place; '.aes' is taken from its name.")
    package static let name = CommandName.decrypt

    @OptionGroup package var options: CommonOptions

    @Argument(help: "The file.")
    package var file: String

    package init() {}

    package func conversion(_ session: Session) throws -> FileConversion.Direction {
        let (factory, suffix) = try session.kit.codecs.factory(.encryption, of: file)
        let master = try options.secret.source().load(session).requiredForFiles()
        return .decode(try factory.make(nil, FileKeys.ring(master, session.kit.cryptography)), suffix: suffix)
    }
}

/// `compress <file>`.
package struct CompressCommand: FileCommand {
    package static let configuration = CommandConfiguration(
        commandName: "compress",
        abstract: "Compress a file in place; '.zstd', '.gz', '.lz4' or '.bz2' is added to its name.")
    package static let name = CommandName.compress

    @OptionGroup package var options: CommonOptions

    @Option(help: "How: gzip, zstd, lz4 or bzip2; as the configuration says where it is left out.")
    var compression: String?

    @Option(help: "The compression's level.")
    var level: Int?

    @Argument(help: "The file.")
    package var file: String

    package init() {}

    package func conversion(_ session: Session) throws -> FileConversion.Direction {
        let codecs = session.kit.codecs
        try codecs.requirePlain(file, .compression)
        guard compression == nil else {
            return .encode(try codecs.factory(.compression, named: compression).make(level, KeyRing()))
        }
        let configured = try session.configuration(options).global.compression
        let factory = try codecs.factory(.compression, named: configured.codec)
        return .encode(try factory.make(level ?? configured.level, KeyRing()))
    }
}

/// `decompress <file>`.
package struct DecompressCommand: FileCommand {
    package static let configuration = CommandConfiguration(
        commandName: "decompress",
        abstract: "Decompress a file in place; its suffix says how, and is taken from its name.")
    package static let name = CommandName.decompress

    @OptionGroup package var options: CommonOptions

    @Argument(help: "The file.")
    package var file: String

    package init() {}

    package func conversion(_ session: Session) throws -> FileConversion.Direction {
        let (factory, suffix) = try session.kit.codecs.factory(.compression, of: file)
        return .decode(try factory.make(nil, KeyRing()), suffix: suffix)
    }
}
