import BackupAPI

/// Reads `[target:NAME]` sections with an `s3://` URL.
enum S3Settings {
    /// What a section may hold beside `url`.
    static let declarations = [
        SettingDeclaration("endpoint", purpose: "address of the server; Amazon's when it is not set"),
        SettingDeclaration("region", purpose: "region of the bucket, us-east-1 by default"),
        SettingDeclaration("path_style", purpose: "bucket in the path, not in the host name; on with an endpoint"),
        SettingDeclaration("access_key_id", purpose: "public half of the access key"),
        SettingDeclaration("secret_access_key", isSecret: true, purpose: "secret half of the access key"),
        SettingDeclaration("secret_access_key_file", purpose: "file that holds the secret half"),
        SettingDeclaration("secret_access_key_command", purpose: "shell command that prints the secret half"),
        SettingDeclaration("session_token", isSecret: true, purpose: "token of temporary credentials"),
        SettingDeclaration("profile", purpose: "profile in the shared credentials file"),
        SettingDeclaration("storage_class", purpose: "storage class of new objects"),
        SettingDeclaration("sse", purpose: "server-side encryption: AES256, aws:kms or aws:kms:dsse"),
        SettingDeclaration("kms_key_id", purpose: "key of aws:kms"),
        SettingDeclaration("ca_file", purpose: "file of trusted certificates in place of the system's"),
        SettingDeclaration("verify_tls", purpose: "off accepts any certificate; on by default"),
        SettingDeclaration("part_size", purpose: "bytes of a part of a large object, 8M by default"),
        SettingDeclaration("concurrency", purpose: "requests in flight for one object, 4 by default"),
    ]

    /// Checks the settings of a target.
    /// - Throws: `.misconfigured`, naming the setting.
    static func configuration(
        _ settings: TargetSettings, profile: SharedProfile?
    ) throws(StorageError) -> S3Configuration {
        let bucket = settings.location.host
        guard isBucketName(bucket), settings.location.user.isEmpty, settings.location.port == nil else {
            throw fault(
                settings, "the URL names no bucket", "Write the target as s3://bucket/prefix; the server is 'endpoint'."
            )
        }
        let environment = settings.environment
        let region =
            settings.text("region") ?? environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"]
            ?? profile?.region ?? "us-east-1"
        var configuration = S3Configuration(
            endpoint: try endpoint(settings, bucket: bucket, region: region), region: region,
            root: try root(settings))
        configuration.storageClass = settings.text("storage_class")
        configuration.serverSideEncryption = try encryption(settings)
        configuration.keyID = settings.text("kms_key_id")
        configuration.trust.authorityFile = settings.text("ca_file") ?? environment["AWS_CA_BUNDLE"]
        configuration.trust.isVerified = try flag(settings, "verify_tls") ?? true
        if let text = settings.text("part_size") {
            guard let count = byteCount(text), S3Configuration.allowedPartByteCounts.contains(count) else {
                throw fault(settings, "part_size is not a size from 5M to 5G", "Set 'part_size' to a size such as 16M.")
            }
            configuration.partByteCount = count
        }
        if let text = settings.text("concurrency") {
            guard let count = Int(text), (1...64).contains(count) else {
                throw fault(
                    settings, "concurrency is not a number from 1 to 64", "Set 'concurrency' to a number such as 4.")
            }
            configuration.concurrency = count
        }
        return configuration
    }

    private static func endpoint(
        _ settings: TargetSettings, bucket: String, region: String
    ) throws(StorageError) -> S3Endpoint {
        let isPathStyle = try flag(settings, "path_style")
        let named =
            settings.text("endpoint") ?? settings.environment["AWS_ENDPOINT_URL_S3"]
            ?? settings.environment["AWS_ENDPOINT_URL"]
        guard region.utf8.allSatisfy({ isNameByte($0) }), !region.isEmpty else {
            throw fault(settings, "region is not well formed", "Set 'region' to a name such as eu-central-1.")
        }
        guard let named, !named.isEmpty else {
            return .amazon(region: region, bucket: bucket, isPathStyle: isPathStyle)
        }
        guard let endpoint = S3Endpoint.custom(named, bucket: bucket, isPathStyle: isPathStyle) else {
            throw fault(
                settings, "endpoint is not an address", "Set 'endpoint' to an address such as https://s3.example:9000.")
        }
        return endpoint
    }

    private static func root(_ settings: TargetSettings) throws(StorageError) -> String {
        var path = settings.location.path[...]
        while path.hasPrefix("/") { path = path.dropFirst() }
        while path.hasSuffix("/") { path = path.dropLast() }
        guard !path.isEmpty else { return "" }
        do throws(StorageError) {
            return try ObjectKey(String(path)).string
        } catch {
            throw fault(settings, "the prefix is not allowed", "Choose a prefix without '..' and empty parts.")
        }
    }

    private static func encryption(_ settings: TargetSettings) throws(StorageError) -> String? {
        guard let name = settings.text("sse") else { return nil }
        guard ["AES256", "aws:kms", "aws:kms:dsse"].contains(name) else {
            throw fault(settings, "sse is not known", "Set 'sse' to AES256, aws:kms or aws:kms:dsse.")
        }
        return name
    }

    private static func flag(_ settings: TargetSettings, _ name: String) throws(StorageError) -> Bool? {
        guard let text = settings.text(name) else { return nil }
        switch text.lowercased() {
        case "on", "true", "yes", "1": return true
        case "off", "false", "no", "0": return false
        default: throw fault(settings, "\(name) is neither on nor off", "Set '\(name)' to on or off.")
        }
    }

    /// Reads a number of bytes with an optional K, M or G, counted in powers of 1024.
    static func byteCount(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits) else { return nil }
        let shift: Int? =
            switch text.dropFirst(digits.count).uppercased() {
            case "", "B": 0
            case "K", "KB", "KIB": 10
            case "M", "MB", "MIB": 20
            case "G", "GB", "GIB": 30
            default: nil
            }
        guard let shift, number <= Int.max >> 31 else { return nil }
        return number << shift
    }

    private static func fault(_ settings: TargetSettings, _ detail: String, _ remedy: String) -> StorageError {
        StorageError(
            .misconfigured, operation: .open, target: settings.location.description, detail: detail, remedy: remedy)
    }

    /// Length and characters of bucket names, as all known servers have them; dots and case are left to the server.
    private static func isBucketName(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count) && name.utf8.allSatisfy({ isNameByte($0) })
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
