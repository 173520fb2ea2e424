import CCurl

/// What libcurl's callbacks see of one request and its answer. The thread that performs the transfer uses it.
@safe final class Transfer {
    /// The head of the answer as far as it came.
    private(set) var response = HTTPResponse(status: 0, headers: [:])
    /// The body of an answer that is not a success, up to 64 KiB.
    private(set) var errorBody: [UInt8] = []
    /// Whether the sink wanted no more.
    private(set) var wasStopped = false
    /// Whether all bytes of the body were handed to the library.
    var isSent: Bool { unsafe sentCount >= body.count }

    private let body: UnsafeRawBufferPointer
    private var sentCount = 0
    private var hasBegunBody = false
    private let sink: (any BodySink)?
    private let cancel: CancelFlag

    /// Makes the context of one transfer.
    /// - Parameter body: stays valid until the transfer has ended.
    @unsafe init(body: UnsafeRawBufferPointer, sink: (any BodySink)?, cancel: CancelFlag) {
        unsafe self.body = unsafe body
        self.sink = sink
        self.cancel = cancel
    }

    /// Whether the transfer is to be broken off. A body that was sent whole is waited for: only the server knows
    /// whether it was taken, and breaking off then would leave an object that nobody knows of.
    var isToBeStopped: Bool {
        guard cancel.isSet else { return false }
        return unsafe body.isEmpty || sentCount < body.count
    }

    /// Fills `room` with the next bytes of the body.
    @unsafe func send(into room: UnsafeMutableRawBufferPointer) -> Int {
        let count = unsafe min(room.count, body.count - sentCount)
        guard count > 0, let target = room.baseAddress, let source = unsafe body.baseAddress else { return 0 }
        unsafe target.copyMemory(from: source + sentCount, byteCount: count)
        sentCount += count
        return count
    }

    /// Goes back in the body, for a connection that was found dead.
    func rewind(to offset: Int) { sentCount = offset }

    /// Takes a line of the head.
    @unsafe func takeHeader(_ bytes: UnsafeRawBufferPointer) {
        let line = unsafe String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            let status = line.split(separator: " ").dropFirst().first.flatMap { Int($0.prefix(3)) } ?? 0
            response = HTTPResponse(status: status, headers: [:])
            return
        }
        guard let colon = line.firstIndex(of: ":") else { return }
        let value = line[line.index(after: colon)...]
        response.headers[line[..<colon].lowercased()] = String(trimming: value)
    }

    /// Takes bytes of the answer's body.
    @unsafe func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard response.isSuccess else {
            unsafe errorBody.append(contentsOf: bytes.prefix(65_536 - errorBody.count))
            return true
        }
        guard let sink else { return true }
        if !hasBegunBody {
            hasBegunBody = true
            sink.begin(response)
        }
        if unsafe sink.take(bytes) { return true }
        wasStopped = true
        return false
    }
}

extension String {
    /// The text without white space at its ends.
    init(trimming text: some StringProtocol) {
        var rest = text[...]
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        self = String(rest)
    }
}
