public import BackupAPI

/// What a program is built from: the backends and codecs it knows, and its cryptography.
///
/// A program with one more backend has a `main` of its own that adds a factory to `standard`.
public struct Kit: Sendable {
    /// The storage backends, by URL scheme.
    public var backends: BackendRegistry
    /// The compressions and encryptions, by name.
    public var codecs: CodecRegistry
    /// Keys, digests and random bytes.
    public var cryptography: any Cryptography

    /// Makes a kit.
    public init(backends: BackendRegistry, codecs: CodecRegistry, cryptography: any Cryptography) {
        self.backends = backends
        self.codecs = codecs
        self.cryptography = cryptography
    }
}
