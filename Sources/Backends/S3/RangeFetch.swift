import BackupAPI

/// Fetches one run of an object into memory. A body that breaks off is taken up again where it broke.
struct RangeFetch: Sendable {
    /// Sends the requests.
    let client: S3Client
    /// The key in the bucket.
    let key: String
    /// Bytes before the run.
    let offset: Int
    /// Most bytes of the run; at least 1.
    let count: Int
    /// The version of the object that is wanted; nil for any.
    let entityTag: String?

    /// What came.
    struct Outcome: Sendable {
        /// The bytes, fewer than asked for at the object's end.
        let block: MemoryBlock
        /// The size of the whole object.
        let objectByteCount: Int
        /// The version of the object.
        let entityTag: String?
    }

    /// Fetches on the calling thread.
    func run(cancel: CancelFlag) throws(S3Fault) -> Outcome {
        let sink = RangeSink(offset: offset, count: count, entityTag: entityTag)
        let backoff = client.configuration.backoff
        var attempt = 1
        while true {
            let before = sink.block.count
            do throws(S3Fault) {
                try request(sink, cancel: cancel)
                if let outcome = try sink.outcome() { return outcome }
                throw .transport(TransportFault(kind: .broken, words: "the answer ended too early", wasSent: true))
            } catch {
                // Bytes that came are progress: only tries that bring nothing are counted.
                attempt = sink.block.count > before ? 1 : attempt + 1
                guard error.isTransient, attempt <= backoff.attempts, !cancel.isSet else { throw error }
                backoff.wait(beforeAttempt: max(2, attempt), advice: error.waitAdvice, cancel: cancel)
            }
        }
    }

    private func request(_ sink: RangeSink, cancel: CancelFlag) throws(S3Fault) {
        let start = offset + sink.block.count
        var request = S3Request(operation: "GetObject", method: "GET", key: key)
        request.headers = [(name: "Range", value: "bytes=\(start)-\(offset + count - 1)")]
        if let tag = sink.entityTag { request.headers.append((name: "If-Match", value: tag)) }
        do throws(S3Fault) {
            let response = try client.send(request, sink: sink, cancel: cancel)
            // A success without a body never reached the sink.
            if !sink.hasBegun { sink.begin(response) }
        } catch {
            switch error.status {
            case 416 where sink.block.count == 0: sink.endBehindObject()
            case 412, 416: throw .changed
            default: throw error
            }
        }
    }
}

/// Takes the bytes of one run, over one or more answers. One thread uses it.
private final class RangeSink: BodySink {
    let block = MemoryBlock()
    private(set) var entityTag: String?
    private(set) var hasBegun = false
    private let offset: Int
    private let count: Int
    private var objectByteCount: Int?
    private var skip = 0
    private var isMisplaced = false

    init(offset: Int, count: Int, entityTag: String?) {
        self.offset = offset
        self.count = count
        self.entityTag = entityTag
    }

    func begin(_ response: HTTPResponse) {
        hasBegun = true
        let start = offset + block.count
        if let range = response.headers["content-range"].flatMap(ContentRange.init) {
            isMisplaced = range.offset != start
            objectByteCount = range.objectByteCount
            skip = 0
        } else {
            // The server knows no ranges and sends the whole object.
            objectByteCount = response.headers["content-length"].flatMap { Int($0) }
            skip = start
        }
        if let tag = response.headers["etag"], !tag.hasPrefix("W/") { entityTag = tag }
        if let total = objectByteCount { block.reserve(max(0, min(count, total - offset))) }
    }

    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !isMisplaced else { return false }
        let skipped = min(skip, bytes.count)
        skip -= skipped
        let wanted = min(bytes.count - skipped, count - block.count)
        unsafe block.append(UnsafeRawBufferPointer(rebasing: bytes[skipped..<skipped + wanted]))
        return block.count < count || bytes.count - skipped == wanted
    }

    /// Notes that the run lies behind the object's end.
    func endBehindObject() { objectByteCount = min(offset, objectByteCount ?? offset) }

    /// The run, if it is whole.
    func outcome() throws(S3Fault) -> RangeFetch.Outcome? {
        guard !isMisplaced else { throw .malformed("the server sent another range than was asked for") }
        guard let total = objectByteCount else { throw .malformed("the answer does not tell the object's size") }
        guard block.count == max(0, min(count, total - offset)) else { return nil }
        return RangeFetch.Outcome(block: block, objectByteCount: total, entityTag: entityTag)
    }
}

/// A `Content-Range` header such as `bytes 0-99/1234` (RFC 9110, section 14.4).
struct ContentRange: Sendable, Hashable {
    /// The first byte's place.
    let offset: Int
    /// The size of the whole object.
    let objectByteCount: Int

    /// Reads the header's value; nil when it is not well formed or does not tell the size.
    init?(_ text: String) {
        let fields = text.split(whereSeparator: { " -/".contains($0) })
        guard fields.count == 4, fields[0] == "bytes", let offset = Int(fields[1]), let last = Int(fields[2]),
            let total = Int(fields[3]), offset <= last, last < total
        else { return nil }
        self.offset = offset
        objectByteCount = total
    }
}
