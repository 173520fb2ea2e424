import BackupAPI
import Codecs
import Testing

@testable import S3Backend

/// Amazon's published examples: the Signature Version 4 test suite, and the S3 API Reference, "Authenticating Requests:
/// Using the Authorization Header".
struct SignatureV4Tests {
    typealias Pairs = [(name: String, value: String)]

    @Test(arguments: [
        ("/", [], [], "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "/", [("Param2", "value2"), ("Param1", "value1")], [],
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        ),
        (
            "/", [], [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
        ),
        ("/\u{1234}", [], [], "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    ])
    func `the test suite of Signature Version 4 is signed as published`(
        path: String, query: [(String, String)], headers: [(String, String)], expected: String
    ) {
        let signer = SignatureV4(cryptography: OpenSSLCryptography(), region: "us-east-1", service: "service")
        let time = Timestamp(seconds: 1_440_938_160)
        let own: Pairs = [
            (name: "Host", value: "example.amazonaws.com"), (name: "X-Amz-Date", value: "20150830T123600Z"),
        ]
        let subject = SignatureV4.Subject(
            method: "GET", path: URIEncoding.encode(path, keepingSlashes: true),
            query: query.map { (name: $0.0, value: $0.1) }, headers: own + headers.map { (name: $0.0, value: $0.1) },
            payloadHash: SignatureV4.emptyPayloadHash)

        let text = signer.stringToSign(signer.canonicalRequest(subject), at: time)

        let secret = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
        #expect(signer.signature(text, secret: secret, at: time) == expected)
    }

    struct Example: Sendable {
        let method: String
        let path: String
        let query: [(name: String, value: String)]
        let headers: [(name: String, value: String)]
        let payloadHash: String
        let signature: String
    }

    static let examples = [
        Example(
            method: "GET", path: "/test.txt", query: [], headers: [(name: "Range", value: "bytes=0-9")],
            payloadHash: SignatureV4.emptyPayloadHash,
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Example(
            method: "PUT", path: "/test%24file.text", query: [],
            headers: [
                (name: "Date", value: "Fri, 24 May 2013 00:00:00 GMT"),
                (name: "x-amz-storage-class", value: "REDUCED_REDUNDANCY"),
            ],
            payloadHash: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Example(
            method: "GET", path: "/", query: [(name: "lifecycle", value: "")], headers: [],
            payloadHash: SignatureV4.emptyPayloadHash,
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Example(
            method: "GET", path: "/", query: [(name: "prefix", value: "J"), (name: "max-keys", value: "2")],
            headers: [], payloadHash: SignatureV4.emptyPayloadHash,
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]

    @Test(arguments: examples)
    func `the examples of the S3 documentation are signed as published`(example: Example) {
        let signer = SignatureV4(cryptography: OpenSSLCryptography(), region: "us-east-1")
        let own: Pairs = [
            (name: "Host", value: "examplebucket.s3.amazonaws.com"),
            (name: "x-amz-content-sha256", value: example.payloadHash),
            (name: "x-amz-date", value: "20130524T000000Z"),
        ]
        let subject = SignatureV4.Subject(
            method: example.method, path: example.path, query: example.query, headers: example.headers + own,
            payloadHash: example.payloadHash)
        let credentials = S3Credentials(
            accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))

        let header = signer.authorization(subject, credentials: credentials, at: Timestamp(seconds: 1_369_353_600))

        #expect(header.hasSuffix("Signature=\(example.signature)"))
        #expect(header.contains("Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"))
    }
}
