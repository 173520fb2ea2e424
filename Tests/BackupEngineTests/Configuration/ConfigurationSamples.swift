import BackupAPI
import BackupEngine

/// Registries with the names of the standard kit; nothing in them is opened or encoded here.
enum ConfigurationSamples {
    static var codecs: CodecRegistry {
        func codec(
            _ name: String, _ aliases: [String], _ kind: CodecFactory.Kind, _ number: Int, _ levels: ClosedRange<Int>?
        ) -> CodecFactory {
            CodecFactory(
                name: name, aliases: aliases, kind: kind, number: number, suffix: "",
                levels: levels.map { (allowed: $0, standard: 3) }
            ) { (_, _) throws(CodecError) in throw CodecError(.failed, codec: name) }
        }
        return CodecRegistry([
            codec("gzip", ["gz"], .compression, 1, 1...9),
            codec("zstd", ["zst"], .compression, 2, 1...19),
            codec("lz4", [], .compression, 3, 1...12),
            codec("bzip2", ["bz2"], .compression, 4, 1...9),
            codec("aes-256-gcm", ["aes", "aes-256"], .encryption, 1, nil),
            codec("aes-256-cbc", [], .encryption, 4, nil),
        ])
    }

    static var backends: BackendRegistry {
        func backend(_ scheme: String, _ settings: [SettingDeclaration]) -> BackendFactory {
            BackendFactory(scheme: scheme, settings: settings) { _ throws(StorageError) in
                throw StorageError(.unsupported, operation: .open, target: scheme)
            }
        }
        return BackendRegistry([
            backend("file", []),
            backend(
                "s3",
                [
                    SettingDeclaration("endpoint", purpose: "where"), SettingDeclaration("region", purpose: "where"),
                    SettingDeclaration("access_key_id", purpose: "who"),
                    SettingDeclaration("secret_access_key", isSecret: true, purpose: "who"),
                    SettingDeclaration("path_style", purpose: "how"),
                    SettingDeclaration("storage_class", purpose: "how"),
                ]),
            backend("sftp", [SettingDeclaration("private_key_file", purpose: "who")]),
        ])
    }

    static func load(
        _ text: String, environment: [String: String] = ["HOME": "/home/u"]
    ) throws(ConfigurationError) -> Configuration {
        try Configuration.load(
            text: text, fileName: "pgmoneta.conf", backends: backends, codecs: codecs, environment: environment)
    }

    /// The faults of a text; empty when it loads.
    static func faults(_ text: String) -> [ConfigurationFault] {
        do throws(ConfigurationError) {
            _ = try load(text)
            return []
        } catch {
            return error.faults
        }
    }

    static let minimal = "[pgmoneta]\nbase_dir = /b\n[primary]\nhost = h\nuser = u\n"
}
