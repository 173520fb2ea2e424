package import BackupAPI
package import PostgresClient

/// What a backup shall be: all that the configuration decides.
package struct BackupPlan: Sendable {
    package var server: String
    package var connection: PostgresClient.ConnectionSettings
    /// The compression; nil for none.
    package var compression: (factory: CodecFactory, level: Int?)?
    /// The encryption; nil for none.
    package var encryption: CodecFactory?
    /// What repository keys are wrapped with; needed when `encryption` is set.
    package var masterKey: MasterKey?
    /// How the server compresses on the wire; nil for not.
    package var wireCompression: BaseBackupOptions.Compression?
    /// What an incremental backup builds on; nil for a full one.
    package var parent: ParentRequest?
    /// Undoes the wire's compression.
    package var wireCodec: (any Codec)?
    package var workers: Int
    /// How fast the server sends a base backup; nil for as fast as it can.
    package var maxRateInKilobytesPerSecond: Int?
    /// How fast files are read over SQL; nil for as fast as it goes.
    package var meter: BandwidthMeter?
    /// `CRC32C`, `SHA224` and so on, as `BASE_BACKUP` names it.
    package var manifestChecksums: String
    package var cryptography: any Cryptography
    /// The program's version, for the record.
    package var version: String
    /// Who this is, for leases.
    package var taker: LeaseTaker
    /// Milliseconds since 1970.
    package var clock: @Sendable () -> Int

    package init(
        server: String, connection: PostgresClient.ConnectionSettings,
        compression: (factory: CodecFactory, level: Int?)?,
        encryption: CodecFactory?, workers: Int, manifestChecksums: String, cryptography: any Cryptography,
        version: String, taker: LeaseTaker, clock: @escaping @Sendable () -> Int
    ) {
        self.server = server
        self.connection = connection
        self.compression = compression
        self.encryption = encryption
        self.workers = workers
        self.manifestChecksums = manifestChecksums
        self.cryptography = cryptography
        self.version = version
        self.taker = taker
        self.clock = clock
    }

    /// Seconds since 1970.
    var now: @Sendable () -> Int { { [clock] in clock() / 1000 } }

    /// Begins the digest that the manifest uses; nil for CRC-32C or none.
    var makeManifestDigest: (() -> any Digest)? {
        guard let algorithm = DigestAlgorithm(rawValue: manifestChecksums.lowercased()) else { return nil }
        return { [cryptography] in cryptography.makeDigest(algorithm) }
    }

    /// The chain that the backup is encoded with.
    func chain(keys: KeyRing) throws -> CodecChain {
        var codecs: [any Codec] = []
        if let compression { codecs.append(try compression.factory.make(compression.level, keys)) }
        if let encryption { codecs.append(try encryption.make(nil, keys)) }
        return CodecChain(codecs)
    }
}
