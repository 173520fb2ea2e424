import PostgresClient

/// Stretches of a server's files, one after the other, while the next ones are on their way over several connections.
final class ServerFileStream {
    /// Most bytes and most stretches of one request.
    private static let requestByteCount = 1 << 20
    private static let requestStretchCount = 512
    private static let requestsPerReader = 2

    private let readers: [ServerFileReader]
    private var plans: ArraySlice<FilePlan>
    /// Stretches of the plans before `plans` that were not asked for yet.
    private var pending: ArraySlice<ServerFileRange> = []
    private var requestCount = 0
    private var underWay: [(reader: ServerFileReader, count: Int)] = []
    private var current: ServerFileBytes?
    private var next = 0
    private var currentCount = 0

    /// - Parameter plans: the files in the order in which their stretches will be taken.
    init(readers: [ServerFileReader], plans: [FilePlan]) {
        self.readers = readers
        self.plans = plans[...]
    }

    /// Goes on to the next stretch.
    /// - Returns: whether there is such a file.
    func advance() async throws -> Bool {
        next += 1
        if next >= currentCount { try await receive() }
        return current?.isThere(next) ?? false
    }

    /// Calls `body` with the bytes of the stretch.
    func withBytes(_ body: (RawSpan) async throws -> Void) async throws {
        try await current?.withBytes(next, body)
    }

    private func receive() async throws {
        current = nil
        while underWay.count < readers.count * Self.requestsPerReader {
            let request = nextRequest()
            guard !request.isEmpty else { break }
            let reader = readers[requestCount % readers.count]
            requestCount += 1
            try await reader.request(request)
            underWay.append((reader, request.count))
        }
        guard !underWay.isEmpty else {
            throw EngineError(.streamMalformed, "more of the server's files is wanted than was planned")
        }
        let (reader, count) = underWay.removeFirst()
        current = try await reader.receive(count: count)
        (next, currentCount) = (0, count)
    }

    private func nextRequest() -> [ServerFileRange] {
        var request: [ServerFileRange] = []
        var byteCount = 0
        while byteCount < Self.requestByteCount, request.count < Self.requestStretchCount {
            if let stretch = pending.popFirst() {
                request.append(stretch)
                byteCount += stretch.byteCount
            } else if let plan = plans.first {
                // On a standby this file says up to where the log must be replayed: it is read when all others have been.
                let isLast = plan.file.path == DataDirectory.control
                if isLast, !request.isEmpty || !underWay.isEmpty { break }
                plans.removeFirst()
                pending = plan.stretches(plan.increment)[...]
            } else {
                break
            }
        }
        return request
    }
}
