import BackupAPI
import Codecs
import LocalBackend
import S3Backend
import SSHBackend

extension Kit {
    /// What `pgmoneta-cli` is built from: the only list of concrete backends and codecs.
    public static var standard: Kit {
        let cryptography = OpenSSLCryptography()
        return Kit(
            backends: BackendRegistry([
                LocalBackendFactory.factory(), S3BackendFactory.factory(cryptography: cryptography),
                SSHBackendFactory.factory(),
            ]),
            codecs: StandardCodecs.registry, cryptography: cryptography)
    }
}
