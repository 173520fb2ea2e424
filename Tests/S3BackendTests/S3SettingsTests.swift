import BackupAPI
import Testing

@testable import S3Backend

struct S3SettingsTests {
    func configuration(
        _ url: String = "s3://bucket/a/b/", _ values: [String: String] = [:], environment: [String: String] = [:]
    ) throws -> S3Configuration {
        try S3Settings.configuration(
            TargetSettings(
                location: try TargetLocation(url), values: values.mapValues { Secret($0) }, environment: environment),
            profile: nil)
    }

    @Test func `without settings it is Amazon's endpoint, encrypted and verified`() throws {
        let found = try configuration()

        #expect(found.endpoint.host == "bucket.s3.us-east-1.amazonaws.com")
        #expect(found.endpoint.isEncrypted && found.trust.isVerified && found.endpoint.isAmazon)
        #expect(found.endpoint.path(key: "a b/ä") == "/a%20b/%C3%A4")
        #expect(found.root == "a/b")
        #expect(found.displayName == "s3://bucket/a/b")
        #expect(found.partByteCount == 8 << 20)
        #expect(found.remarks.isEmpty)
    }

    @Test func `a bucket with dots stands in the path, so that the certificate fits`() throws {
        let endpoint = try configuration("s3://my.bucket/").endpoint

        #expect(endpoint.host == "s3.us-east-1.amazonaws.com")
        #expect(endpoint.path(key: "k") == "/my.bucket/k")
        #expect(endpoint.path(key: nil) == "/my.bucket")
    }

    @Test(arguments: [
        ("https://S3.example:9000/", "s3.example:9000"), ("s3.example", "s3.example"),
        ("https://s3.example:443", "s3.example"), ("http://[::1]:80", "[::1]"),
        ("http://s3.example:443", "s3.example:443"),
    ])
    func `an endpoint is an address with or without scheme and port`(text: String, host: String) throws {
        #expect(try configuration("s3://bucket", ["endpoint": text]).endpoint.host == host)
    }

    @Test func `plain http and unverified certificates are remarked loudly`() throws {
        let plain = try configuration("s3://bucket", ["endpoint": "http://s3.example"])
        let blind = try configuration("s3://bucket", ["verify_tls": "off"])

        #expect(plain.remarks.first?.hasPrefix("NOT ENCRYPTED") == true)
        #expect(blind.remarks.first?.hasPrefix("NOT VERIFIED") == true)
    }

    @Test(arguments: [
        ("part_size", "16M", 16 << 20), ("part_size", "5MiB", 5 << 20), ("part_size", "8388608", 8 << 20),
    ])
    func `sizes of parts have units`(name: String, text: String, expected: Int) throws {
        #expect(try configuration("s3://bucket", [name: text]).partByteCount == expected)
    }

    @Test(arguments: [
        ("part_size", "1M"), ("part_size", "6G"), ("part_size", "x"), ("part_size", "99999999999999999999"),
        ("concurrency", "0"), ("concurrency", "65"), ("sse", "none"), ("verify_tls", "maybe"), ("path_style", "2"),
        ("endpoint", "ftp://x"), ("endpoint", "https://x/path"), ("region", "a b"),
    ])
    func `a setting that cannot be right is refused by name`(name: String, text: String) throws {
        let error = #expect(throws: StorageError.self) { try configuration("s3://bucket", [name: text]) }

        #expect(error?.reason == .misconfigured)
        #expect(error?.summary.contains(name) == true)
    }

    @Test(arguments: ["s3:///prefix", "s3://user@bucket", "s3://bucket:9000/", "s3://bucket/a//b", "s3://bucket/../x"])
    func `a URL that names no bucket or prefix is refused`(url: String) {
        #expect(throws: StorageError.self) { try configuration(url) }
    }

    @Test func `region and endpoint may come from the environment`() throws {
        let environment = ["AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL_S3": "https://s3.example"]

        let found = try configuration("s3://bucket", [:], environment: environment)

        #expect(found.region == "eu-west-1")
        #expect(found.endpoint.host == "s3.example")
    }

    @Test func `ten thousand parts reach the largest object that S3 takes`() {
        let plan = PartPlan(firstPartByteCount: 8 << 20)

        #expect(plan.byteCount(ofPart: 1) == 8 << 20)
        #expect(plan.byteCount(ofPart: 1000) == 8 << 20)
        #expect(plan.byteCount(ofPart: 1001) == 16 << 20)
        #expect(plan.maximumObjectByteCount == 5 << 40)
        #expect((1...PartPlan.maximumPartCount).allSatisfy { (5 << 20)...(5 << 30) ~= plan.byteCount(ofPart: $0) })
    }

    @Test func `a key that is too long together with the prefix is refused`() throws {
        let found = try configuration("s3://bucket/" + String(repeating: "p/", count: 20) + "p")
        let key = try ObjectKey((0..<10).map { _ in String(repeating: "k", count: 99) }.joined(separator: "/"))

        let error = #expect(throws: StorageError.self) { try found.fullKey(key.string, operation: .write) }

        #expect(error?.reason == .invalidKey)
    }
}
