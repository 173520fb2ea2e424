import BackupAPI

/// The server of a bucket, and how a bucket and a key become an address.
struct S3Endpoint: Sendable, Hashable {
    /// `https` or `http`.
    var scheme: String
    /// The host with its port, where one is named.
    var authority: String
    /// Whether the bucket stands in the path instead of in front of the host.
    var isPathStyle: Bool
    /// The bucket.
    var bucket: String

    /// Whether the connection is encrypted.
    var isEncrypted: Bool { scheme == "https" }
    /// Whether it is Amazon's own service, whose behaviour is documented and need not be found out.
    var isAmazon: Bool { authority.hasSuffix(".amazonaws.com") || authority.hasSuffix(".amazonaws.com.cn") }

    /// Amazon's endpoint of a region.
    static func amazon(region: String, bucket: String, isPathStyle: Bool?) -> S3Endpoint {
        let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
        // A wildcard certificate covers one label only, so that a bucket with dots cannot stand in the host name.
        return S3Endpoint(
            scheme: "https", authority: "s3.\(region).\(domain)", isPathStyle: isPathStyle ?? bucket.contains("."),
            bucket: bucket)
    }

    /// Reads an address such as `https://minio.example:9000`; without a scheme it is `https`.
    /// - Returns: nil when it is not well formed or has a path.
    static func custom(_ text: String, bucket: String, isPathStyle: Bool?) -> S3Endpoint? {
        var scheme = "https"
        var rest = text[...]
        if let mark = text.firstRange(of: "://") {
            scheme = text[..<mark.lowerBound].lowercased()
            rest = text[mark.upperBound...]
        }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard scheme == "https" || scheme == "http", !rest.isEmpty,
            rest.utf8.allSatisfy({ isAuthorityByte($0) })
        else { return nil }
        // The port that the scheme has anyway is not sent in the `Host` header, which is signed.
        let standardPort = scheme == "https" ? ":443" : ":80"
        if rest.hasSuffix(standardPort) { rest = rest.dropLast(standardPort.count) }
        return S3Endpoint(
            scheme: scheme, authority: rest.lowercased(), isPathStyle: isPathStyle ?? true, bucket: bucket)
    }

    /// The `Host` header.
    var host: String { isPathStyle ? authority : "\(bucket).\(authority)" }

    /// The encoded path of an object, or of the bucket itself.
    func path(key: String?) -> String {
        let object = key.map { URIEncoding.encode($0, keepingSlashes: true) } ?? ""
        guard isPathStyle else { return "/\(object)" }
        return key == nil ? "/\(bucket)" : "/\(bucket)/\(object)"
    }

    private static func isAuthorityByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: false
        }
    }
}
