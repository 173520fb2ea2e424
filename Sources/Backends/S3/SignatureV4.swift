import BackupAPI

/// Signs requests with AWS Signature Version 4 (Amazon S3 API Reference, "Authenticating Requests").
///
/// It computes only: no clock, no network. The path is encoded once and not normalised, as S3 wants it.
struct SignatureV4: Sendable {
    /// What is signed of a request.
    struct Subject: Sendable {
        /// In upper case.
        var method: String
        /// Percent-encoded, beginning with `/`.
        var path: String
        /// Names and values, not yet encoded, in any order.
        var query: [(name: String, value: String)] = []
        /// All headers to sign, `host` among them, names in any case.
        var headers: [(name: String, value: String)]
        /// The SHA-256 of the body in hexadecimal.
        var payloadHash: String
    }

    /// The SHA-256 of no bytes, in hexadecimal.
    static let emptyPayloadHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    let cryptography: any Cryptography
    let region: String
    var service = "s3"

    /// The query in its canonical form, which is also the form to send.
    static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
        let pairs = query.map { (URIEncoding.encode($0.name), URIEncoding.encode($0.value)) }
        let sorted = pairs.sorted { (left: (String, String), right: (String, String)) -> Bool in
            left.0 == right.0 ? ObjectKey.precedes(left.1, right.1) : ObjectKey.precedes(left.0, right.0)
        }
        return sorted.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// The names of the signed headers, in order, joined by `;`.
    func signedHeaders(of subject: Subject) -> String {
        canonicalHeaders(of: subject).map(\.name).joined(separator: ";")
    }

    /// Task 1: the request as text.
    func canonicalRequest(_ subject: Subject) -> String {
        let headers = canonicalHeaders(of: subject).map { "\($0.name):\($0.value)\n" }.joined()
        return [
            subject.method, subject.path, SignatureV4.canonicalQuery(subject.query), headers,
            signedHeaders(of: subject), subject.payloadHash,
        ].joined(separator: "\n")
    }

    /// Task 2: what the signature is made of.
    func stringToSign(_ canonicalRequest: String, at time: Timestamp) -> String {
        let hash = Hexadecimal.encode(sha256(Array(canonicalRequest.utf8)))
        return ["AWS4-HMAC-SHA256", time.basicISO8601, scope(at: time), hash].joined(separator: "\n")
    }

    /// Task 3: the signature in hexadecimal.
    func signature(_ stringToSign: String, secret: Secret, at time: Timestamp) -> String {
        var key = Secret(Array("AWS4".utf8) + secret.reveal())
        for part in [time.day, region, service, "aws4_request"] {
            key = Secret(cryptography.authenticationCode(key: key, message: Array(part.utf8)))
        }
        return Hexadecimal.encode(cryptography.authenticationCode(key: key, message: Array(stringToSign.utf8)))
    }

    /// The whole `Authorization` header.
    func authorization(_ subject: Subject, credentials: S3Credentials, at time: Timestamp) -> String {
        let text = stringToSign(canonicalRequest(subject), at: time)
        let signature = signature(text, secret: credentials.secretAccessKey, at: time)
        return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope(at: time)),"
            + "SignedHeaders=\(signedHeaders(of: subject)),Signature=\(signature)"
    }

    /// The SHA-256 of `bytes`.
    func sha256(_ bytes: [UInt8]) -> [UInt8] {
        let digest = cryptography.makeDigest(.sha256)
        // Sound: the span does not outlive the call.
        digest.update(unsafe bytes.span.bytes)
        return digest.finish()
    }

    private func scope(at time: Timestamp) -> String { "\(time.day)/\(region)/\(service)/aws4_request" }

    /// Names in lower case and in order; values trimmed, runs of spaces made one; values of one name joined by `,`.
    private func canonicalHeaders(of subject: Subject) -> [(name: String, value: String)] {
        var values: [String: [String]] = [:]
        for header in subject.headers {
            let words = header.value.split(whereSeparator: { $0 == " " || $0 == "\t" })
            values[header.name.lowercased(), default: []].append(words.joined(separator: " "))
        }
        return values.map { (name: $0.key, value: $0.value.joined(separator: ",")) }
            .sorted { ObjectKey.precedes($0.name, $1.name) }
    }
}
