import BackupAPI
import Codecs
import LocalBackend

extension Kit {
    /// What `pgmoneta-cli` is built from: the only list of concrete backends and codecs.
    public static var standard: Kit {
        Kit(
            backends: BackendRegistry([
                LocalBackendFactory.factory()
            ]),
            codecs: StandardCodecs.registry,
            cryptography: OpenSSLCryptography())
    }
}
