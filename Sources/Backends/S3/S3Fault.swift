/// Why a request got no answer that can be used; `S3Errors` puts it into an operator's words.
enum S3Fault: Error, Sendable, Hashable {
    /// The server answered with an error.
    case answer(S3ErrorAnswer)
    /// No whole answer came.
    case transport(TransportFault)
    /// No credentials could be had.
    case credentials(CredentialFault)
    /// An answer came that S3 does not give.
    case malformed(String)
    /// A create-only write found the object there.
    case exists
    /// The object was replaced while it was read.
    case changed

    /// Whether the same request may succeed when it is sent again.
    var isTransient: Bool {
        switch self {
        case .transport(let fault): [.unreachable, .broken, .timedOut].contains(fault.kind)
        case .answer(let answer): answer.isTransient
        case .credentials, .malformed, .exists, .changed: false
        }
    }

    /// Whether the server may have carried the request out although no answer says so.
    var isAmbiguous: Bool {
        switch self {
        case .transport(let fault): fault.wasSent
        case .answer(let answer): answer.status >= 500 || answer.status == 200
        case .credentials, .malformed, .exists, .changed: false
        }
    }

    /// Seconds that the server asks to wait.
    var waitAdvice: Int? {
        if case .answer(let answer) = self { return answer.retryAfter }
        return nil
    }

    /// The status of the answer; nil when none came.
    var status: Int? {
        if case .answer(let answer) = self { return answer.status }
        return nil
    }
}

/// An error as S3 answers it (Amazon S3 API Reference, "Error responses").
struct S3ErrorAnswer: Sendable, Hashable {
    /// The HTTP status; 200 when the error stood in the body of a success.
    var status: Int
    /// Such as `NoSuchKey`; empty when the answer had no body.
    var code = ""
    /// The server's words.
    var message = ""
    /// The region that the server names as the right one.
    var region: String?
    /// Seconds that the server asks to wait.
    var retryAfter: Int?
    /// The clock of the server, less ours, in seconds.
    var clockSkew: Int?

    /// Makes an answer of a status only.
    init(status: Int) { self.status = status }

    /// Reads the head and the body of an error.
    init(_ response: HTTPResponse, body: [UInt8], now: Timestamp) {
        status = response.status
        if let document = try? XMLElement(document: body), document.name == "Error" {
            code = document.text(of: "Code") ?? ""
            message = document.text(of: "Message") ?? ""
            region = document.text(of: "Region")
        }
        region = response.headers["x-amz-bucket-region"] ?? region
        if let text = response.headers["retry-after"] {
            retryAfter = Int(text) ?? Timestamp(httpDate: text).map { max(0, $0.seconds - now.seconds) }
        }
        clockSkew = response.headers["date"].flatMap(Timestamp.init(httpDate:)).map { $0.seconds - now.seconds }
    }

    /// Whether the same request may succeed when it is sent again.
    var isTransient: Bool {
        switch code {
        case "InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout", "OperationAborted",
            "ConditionalRequestConflict", "BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch",
            "IncompleteBody", "ThrottlingException", "Throttling", "RequestLimitExceeded":
            true
        default: [408, 409, 429, 500, 502, 503, 504].contains(status)
        }
    }
}
