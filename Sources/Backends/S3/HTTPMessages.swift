/// A request as it goes over the wire.
struct HTTPRequest: Sendable {
    /// How long the parts of a transfer may take.
    struct Limits: Sendable {
        /// Seconds until a connection stands.
        var connectSeconds = 15
        /// Seconds without a byte in either direction.
        var idleSeconds = 60
        /// Seconds for the whole transfer; 0 for no limit.
        var totalSeconds = 0
    }

    /// In upper case.
    var method: String
    /// Absolute, percent-encoded.
    var url: String
    /// Names and values; `Content-Length` and `Host` are added by the transport.
    var headers: [(name: String, value: String)] = []
    /// What is sent; nil for none.
    var body: MemoryBlock?
    /// How long it may take.
    var limits = Limits()
    /// Whether proxies of the environment are passed by, as for addresses of the machine's own surroundings.
    var isDirect = false
}

/// The head of an answer.
struct HTTPResponse: Sendable {
    /// The status code.
    var status: Int
    /// Values by name in lower case; of repeated headers the last.
    var headers: [String: String]

    /// Whether the status is of the 2xx class.
    var isSuccess: Bool { (200..<300).contains(status) }
}

/// Takes the body of a successful answer.
protocol BodySink: AnyObject {
    /// Sees the head before the first byte. It may be called again when an answer is sent anew.
    func begin(_ response: HTTPResponse)
    /// Takes bytes.
    /// - Returns: false when no more are wanted; the transfer then ends without a fault.
    @unsafe func take(_ bytes: UnsafeRawBufferPointer) -> Bool
}

/// Collects a body in memory, up to a limit.
final class BodyCollector: BodySink {
    /// What came.
    private(set) var bytes: [UInt8] = []
    /// Whether more came than the limit allows.
    private(set) var isOverflowing = false
    private let limit: Int

    /// Makes a collector of at most `limit` bytes.
    init(limit: Int) { self.limit = limit }

    func begin(_ response: HTTPResponse) { bytes.removeAll(keepingCapacity: true) }

    func take(_ more: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count + more.count <= limit else {
            isOverflowing = true
            return false
        }
        unsafe bytes.append(contentsOf: more)
        return true
    }
}

/// Why no whole answer came.
struct TransportFault: Error, Sendable, Hashable {
    /// The kinds of fault.
    enum Kind: Sendable, Hashable {
        /// The task was cancelled.
        case cancelled
        /// No connection: no such host, refused, no route.
        case unreachable
        /// The connection broke.
        case broken
        /// A limit of time passed.
        case timedOut
        /// The server's certificate is not trusted or is for another name.
        case identity
        /// A file or option for TLS is of no use.
        case setup
    }

    /// The kind of fault.
    let kind: Kind
    /// The words of the library.
    let words: String
    /// Whether the whole request was sent, so that the server may have carried it out.
    let wasSent: Bool
}
