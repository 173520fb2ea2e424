@testable import PostgresClient
@testable import S3Backend
@testable import SSHBackend

extension Parser {
    /// What servers answer.
    static let backends: [Parser] = [
        Parser(name: "s3-xml") { bytes in
            guard let document = try? XMLElement(document: bytes) else { return }
            _ = try? BucketPage(document)
        },
        Parser(name: "credentials-json") { bytes in _ = JSONStrings.parse(bytes) },
        Parser(name: "server-message") { bytes in
            unsafe bytes.withUnsafeBytes {
                _ = unsafe BaseBackupMessage($0)
                if case .data = unsafe WALMessage($0) {
                    require(bytes.count >= WALMessage.dataHeaderByteCount, "a message has WAL and is too short for it")
                }
            }
        },
        Parser(name: "sftp") { bytes in
            for packet in packets(bytes) { _ = try? SFTPReply.decode(packet) }
        },
    ]

    /// The packets in a stream, up to the first that cannot be one.
    private static func packets(_ bytes: [UInt8]) -> [[UInt8]] {
        var framer = SFTPFramer()
        var packets: [[UInt8]] = []
        unsafe bytes.withUnsafeBytes { raw in
            try? unsafe framer.feed(raw) { packets.append($0) }
        }
        return packets
    }
}
