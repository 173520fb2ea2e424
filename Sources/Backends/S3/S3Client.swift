import BackupAPI
import Synchronization

/// One request to the bucket.
struct S3Request: Sendable {
    /// The kind, by its name in the Amazon S3 API Reference, such as `GetObject`; requests are counted by it.
    var operation: String
    /// In upper case.
    var method: String
    /// The key in the bucket; nil for the bucket itself.
    var key: String?
    /// Names and values, not yet encoded.
    var query: [(name: String, value: String)] = []
    /// Headers beside those of signing.
    var headers: [(name: String, value: String)] = []
    /// What is sent; nil for none.
    var body: MemoryBlock?
    /// Whether the server is to check and keep the SHA-256 of the body.
    var isChecksummed = false
    /// How long it may take.
    var limits = HTTPRequest.Limits()
}

/// Signs and sends requests to one bucket on the calling thread, and counts them.
final class S3Client: Sendable {
    /// What the target's settings say.
    let configuration: S3Configuration
    /// Puts faults into words.
    let errors: S3Errors
    /// The objects that are being read.
    let readings = ReadingCount()
    private let credentials: CredentialChain
    private let signer: SignatureV4
    private let transport: CurlTransport
    private let now: @Sendable () -> Timestamp
    private let counts = Mutex<[String: Int]>([:])
    private let server = Mutex<String?>(nil)

    /// Makes a client. It connects with the first request.
    init(
        configuration: S3Configuration, credentials: CredentialChain, cryptography: any Cryptography,
        transport: CurlTransport, now: @escaping @Sendable () -> Timestamp
    ) {
        self.configuration = configuration
        self.credentials = credentials
        self.transport = transport
        self.now = now
        signer = SignatureV4(cryptography: cryptography, region: configuration.region)
        errors = S3Errors(target: configuration.displayName, endpoint: configuration.endpoint)
    }

    /// How many requests of each kind were sent.
    var requestCounts: [String: Int] { counts.withLock { $0 } }

    /// What is known of the server; nothing before its first answer.
    var serverTraits: ServerTraits { ServerTraits(serverName: server.withLock { $0 }) }

    /// What is known of the server, asked for where it has not answered yet.
    func learnServerTraits(cancel: CancelFlag) throws(S3Fault) -> ServerTraits {
        if server.withLock({ $0 == nil }) {
            _ = try send(S3Request(operation: "HeadBucket", method: "HEAD"), cancel: cancel)
        }
        return serverTraits
    }

    /// The clock that requests are signed by.
    var time: Timestamp { now() }

    /// Sends a request.
    /// - Parameter sink: takes the body of a success; nil drops it.
    /// - Throws: also for an answer that is not a success.
    func send(
        _ request: S3Request, sink: (any BodySink)? = nil, cancel: CancelFlag
    ) throws(S3Fault) -> HTTPResponse {
        do throws(S3Fault) {
            return try sendOnce(request, sink: sink, cancel: cancel)
        } catch {
            guard case .answer(let answer) = error, ["ExpiredToken", "TokenRefreshRequired"].contains(answer.code),
                credentials.forget()
            else { throw error }
            return try sendOnce(request, sink: sink, cancel: cancel)
        }
    }

    /// Sends a request and reads the document of its answer.
    /// - Throws: also for a success whose body is an error, which a long operation may have.
    func sendForDocument(_ request: S3Request, cancel: CancelFlag) throws(S3Fault) -> XMLElement {
        // A page of 1000 keys of 1024 bytes, each percent-encoded, with what stands around them.
        let collector = BodyCollector(limit: 8 << 20)
        let response = try send(request, sink: collector, cancel: cancel)
        guard !collector.isOverflowing else { throw .malformed("the answer is longer than 8 MiB") }
        let document: XMLElement
        do throws(XMLFault) {
            document = try XMLElement(document: collector.bytes)
        } catch {
            throw .malformed("the answer is not XML: \(error.words) at byte \(error.offset)")
        }
        guard document.name != "Error" else {
            throw .answer(S3ErrorAnswer(response, body: collector.bytes, now: now()))
        }
        return document
    }

    private func sendOnce(
        _ request: S3Request, sink: (any BodySink)?, cancel: CancelFlag
    ) throws(S3Fault) -> HTTPResponse {
        let identity: S3Credentials
        do throws(CredentialFault) {
            identity = try credentials.current(cancel: cancel)
        } catch {
            throw cancel.isSet ? cancelled : .credentials(error)
        }
        let message = signed(request, identity: identity)
        counts.withLock { $0[request.operation, default: 0] += 1 }
        let answer: CurlHandle.Answer
        do throws(TransportFault) {
            answer = try transport.perform(message, sink: sink, cancel: cancel)
        } catch {
            throw .transport(error)
        }
        server.withLock { $0 = answer.response.headers["server"] ?? $0 }
        guard answer.response.isSuccess else {
            throw .answer(S3ErrorAnswer(answer.response, body: answer.errorBody, now: now()))
        }
        return answer.response
    }

    private var cancelled: S3Fault { .transport(TransportFault(kind: .cancelled, words: "", wasSent: false)) }

    private func signed(_ request: S3Request, identity: S3Credentials) -> HTTPRequest {
        let endpoint = configuration.endpoint
        let time = now()
        let hash = request.body.map { signer.sha256($0) }
        let path = endpoint.path(key: request.key)
        var headers = request.headers
        headers.append((name: "x-amz-date", value: time.basicISO8601))
        // The body is signed also over TLS: its SHA-256 is computed for the checksum anyway.
        let payloadHash = hash.map(Hexadecimal.encode) ?? SignatureV4.emptyPayloadHash
        headers.append((name: "x-amz-content-sha256", value: payloadHash))
        if request.isChecksummed, let hash {
            headers.append((name: "x-amz-checksum-sha256", value: Base64.encode(hash)))
        }
        if let token = identity.sessionToken {
            headers.append((name: "x-amz-security-token", value: token.revealText()))
        }
        let subject = SignatureV4.Subject(
            method: request.method, path: path, query: request.query,
            headers: headers + [(name: "host", value: endpoint.host)], payloadHash: payloadHash)
        headers.append(
            (name: "Authorization", value: signer.authorization(subject, credentials: identity, at: time)))
        let query = request.query.isEmpty ? "" : "?" + SignatureV4.canonicalQuery(request.query)
        return HTTPRequest(
            method: request.method, url: "\(endpoint.scheme)://\(endpoint.host)\(path)\(query)", headers: headers,
            body: request.body, limits: request.limits)
    }
}

extension SignatureV4 {
    /// The SHA-256 of what a block holds.
    func sha256(_ block: MemoryBlock) -> [UInt8] {
        let digest = cryptography.makeDigest(.sha256)
        // Sound: the block is not changed while it is sent, and the span does not outlive the call.
        unsafe digest.update(block.bytes.bytes)
        return digest.finish()
    }
}
