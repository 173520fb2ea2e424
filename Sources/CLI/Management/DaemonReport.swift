package import FoundationEssentials

/// What the daemon tells over its socket.
package struct DaemonReport: Sendable, Hashable, Codable {
    /// One receiver of WAL.
    package struct Receiver: Sendable, Hashable, Codable {
        package var server: String
        package var isStreaming: Bool
        package var timeline: UInt32
        /// `X/X`, behind the last byte that came.
        package var received: String
        /// `X/X`, behind the last byte that is on the disk.
        package var safe: String
        package var archived: String?
        package var waitingCount: Int
        package var waitingByteCount: Int
        package var gapCount: Int
        /// What keeps the stream or the upload from going on.
        package var faults: [String]

        /// Makes a report.
        package init(
            server: String, isStreaming: Bool, timeline: UInt32, received: String, safe: String, archived: String?,
            waitingCount: Int, waitingByteCount: Int, gapCount: Int, faults: [String]
        ) {
            self.server = server
            self.isStreaming = isStreaming
            self.timeline = timeline
            self.received = received
            self.safe = safe
            self.archived = archived
            self.waitingCount = waitingCount
            self.waitingByteCount = waitingByteCount
            self.gapCount = gapCount
            self.faults = faults
        }
    }

    package var version: String
    package var process: Int32
    /// How long it runs.
    package var uptimeInSeconds: Int
    package var receivers: [Receiver]
    /// The servers that it was told to leave alone.
    package var offline: [String]

    /// Makes a report.
    package init(
        version: String, process: Int32, uptimeInSeconds: Int, receivers: [Receiver], offline: [String]
    ) {
        self.version = version
        self.process = process
        self.uptimeInSeconds = uptimeInSeconds
        self.receivers = receivers
        self.offline = offline
    }

    /// Reads a report.
    package init(json: [UInt8]) throws { self = try JSONDecoder().decode(DaemonReport.self, from: Data(json)) }

    /// The report as the socket gives it.
    package func json() throws -> Data { try JSONEncoder().encode(self) }
}
