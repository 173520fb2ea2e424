/// Makes codecs by their recorded names.
public struct CodecFactory: Sendable {
    /// What a codec does; compressions come before encryptions in a chain.
    public enum Kind: Sendable, Hashable {
        case compression, encryption
    }

    /// The recorded name.
    public let name: String
    /// Other names that configuration files use.
    public let aliases: [String]
    /// What the codec does.
    public let kind: Kind
    /// The number that `raw` output shows for it.
    public let number: Int
    /// What is added to an object's name.
    public let suffix: String
    /// Levels that may be chosen, and the default; nil when there is nothing to choose.
    public let levels: (allowed: ClosedRange<Int>, standard: Int)?
    /// Makes the codec; `level` nil means the default.
    public let make: @Sendable (_ level: Int?, _ keys: KeyRing) throws(CodecError) -> any Codec

    /// Makes a factory.
    public init(
        name: String, aliases: [String] = [], kind: Kind, number: Int, suffix: String,
        levels: (allowed: ClosedRange<Int>, standard: Int)? = nil,
        make: @escaping @Sendable (_ level: Int?, _ keys: KeyRing) throws(CodecError) -> any Codec
    ) {
        self.name = name
        self.aliases = aliases
        self.kind = kind
        self.number = number
        self.suffix = suffix
        self.levels = levels
        self.make = make
    }
}

/// The codecs that a program was built with. A value: there is no global list.
public struct CodecRegistry: Sendable {
    /// In the order they are shown to people.
    public private(set) var factories: [CodecFactory]

    /// Makes a registry.
    public init(_ factories: [CodecFactory] = []) { self.factories = factories }

    /// Adds a codec.
    public mutating func add(_ factory: CodecFactory) { factories.append(factory) }

    /// Finds a codec by recorded name or alias.
    public func factory(named name: String) -> CodecFactory? {
        factories.first { $0.name == name || $0.aliases.contains(name) }
    }
}

/// One setting that a backend understands in its `[target:NAME]` section.
public struct SettingDeclaration: Sendable, Hashable {
    /// The key in the configuration file.
    public let name: String
    /// Whether its value must not be printed.
    public let isSecret: Bool
    /// What it is for, in a few words.
    public let purpose: String

    /// Makes a declaration.
    public init(_ name: String, isSecret: Bool = false, purpose: String) {
        self.name = name
        self.isSecret = isSecret
        self.purpose = purpose
    }
}

/// What a backend is given to open a target.
public struct TargetSettings: Sendable {
    /// Where the target is.
    public let location: TargetLocation
    /// Values of declared settings, by name.
    public let values: [String: Secret]
    /// The environment of the program, by name, for backends that read credentials as other tools do.
    public let environment: [String: String]

    /// Makes settings.
    public init(location: TargetLocation, values: [String: Secret] = [:], environment: [String: String] = [:]) {
        self.location = location
        self.values = values
        self.environment = environment
    }

    /// The value of a setting as text; nil when it is not set.
    public func text(_ name: String) -> String? { values[name]?.revealText() }
}

/// Makes backends for one URL scheme.
public struct BackendFactory: Sendable {
    /// The URL scheme, such as `file`, `s3`, `sftp`.
    public let scheme: String
    /// The settings that a `[target:NAME]` section may hold for it, beside `url`.
    public let settings: [SettingDeclaration]
    /// Opens a target; it may wait for the network. It does not create anything before the first write.
    public let open: @Sendable (TargetSettings) async throws(StorageError) -> any StorageBackend

    /// Makes a factory.
    public init(
        scheme: String, settings: [SettingDeclaration] = [],
        open: @escaping @Sendable (TargetSettings) async throws(StorageError) -> any StorageBackend
    ) {
        self.scheme = scheme
        self.settings = settings
        self.open = open
    }
}

/// The backends that a program was built with. A value: there is no global list.
public struct BackendRegistry: Sendable {
    /// In the order they are shown to people.
    public private(set) var factories: [BackendFactory]

    /// Makes a registry.
    public init(_ factories: [BackendFactory] = []) { self.factories = factories }

    /// Adds a backend.
    public mutating func add(_ factory: BackendFactory) { factories.append(factory) }

    /// Finds the backend of a URL scheme.
    public func factory(scheme: String) -> BackendFactory? { factories.first { $0.scheme == scheme } }
}
