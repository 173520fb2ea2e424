import BackupCLI
import Codecs
import Testing

/// The replies of the manual's samples, letter by letter.
@Suite struct ReplyTranscriptTests {
    private let replies = BackupReplies(codecs: StandardCodecs.registry)

    private func reply(
        _ command: CommandName, _ unixSeconds: Int, seconds: Int, _ request: [String: OutputValue],
        _ response: [String: OutputValue]
    ) -> Reply {
        Reply(
            command: command, clientVersion: "0.1.0", unixSeconds: unixSeconds, outcome: .done(seconds: seconds),
            request: request, response: response)
    }

    @Test func `backup in text`() {
        let reply = reply(
            .backup, 1_727_506_604, seconds: 20, ["Server": .string("primary")], replies.backup(BackupSamples.full))

        #expect(
            reply.render(.text) == """
                Header:
                  ClientVersion: 0.1.0
                  Command: backup
                  Output: text
                  Timestamp: 20240928065644
                Outcome:
                  Status: true
                  Time: 00:00:20
                Request:
                  Server: primary
                Response:
                  Backup: 20240928065644
                  BackupSize: 8.14MB
                  Compression: zstd
                  Encryption: none
                  Incremental: false
                  MajorVersion: 17
                  MinorVersion: 0
                  RestoreSize: 46.54MB
                  Server: primary
                  ServerVersion: 0.1.0
                  Targets:
                    - Durability: durable
                      Status: complete
                      Target: local

                """)
    }

    @Test func `an incremental backup in raw names its parent`() {
        var summary = BackupSamples.full
        summary.label = "20240928065750"
        summary.backupByteCount = 124_312
        summary.parent = "20240928065644"
        let request: [String: OutputValue] = ["Server": .string("primary"), "Backup": .string("20240928065644")]
        let reply = reply(.backup, 1_727_506_650, seconds: 20, request, replies.backup(summary))

        #expect(
            reply.render(.raw) == """
                Header:
                  ClientVersion: 0.1.0
                  Command: 1
                  Output: 2
                  Timestamp: 20240928065730
                Outcome:
                  Status: true
                  Time: 00:00:20
                Request:
                  Backup: 20240928065644
                  Server: primary
                Response:
                  Backup: 20240928065750
                  BackupSize: 124312
                  Compression: 2
                  Encryption: 0
                  Incremental: true
                  IncrementalParent: 20240928065644
                  MajorVersion: 17
                  MinorVersion: 0
                  RestoreSize: 48799744
                  Server: primary
                  ServerVersion: 0.1.0
                  Targets:
                    - Durability: durable
                      Status: complete
                      Target: local

                """)
    }

    @Test func `list-backup in raw`() {
        let answer = BackupListAnswer(
            server: ServerIdentity(name: "primary", majorVersion: 17, minorVersion: 0), backups: [BackupSamples.full],
            targets: BackupSamples.full.targets)
        let reply = reply(
            .listBackup, 1_727_506_692, seconds: 0, ["Server": .string("primary")], replies.list(answer))

        #expect(
            reply.render(.raw) == """
                Header:
                  ClientVersion: 0.1.0
                  Command: 2
                  Output: 2
                  Timestamp: 20240928065812
                Outcome:
                  Status: true
                  Time: 00:00:00
                Request:
                  Server: primary
                Response:
                  Backups:
                    - Backup: 20240928065644
                      BackupSize: 8531968
                      Comments: ''
                      Compression: 2
                      Encryption: 0
                      Incremental: false
                      Keep: false
                      RestoreSize: 48799744
                      Server: primary
                      Targets:
                        - Durability: durable
                          Status: complete
                          Target: local
                      Valid: 1
                      WAL: 0
                  MajorVersion: 17
                  MinorVersion: 0
                  Server: primary
                  ServerVersion: 0.1.0
                  Targets:
                    - Durability: durable
                      Status: complete
                      Target: local

                """)
    }

    @Test func `a list without backups, of a server that nobody knows the version of`() {
        let answer = BackupListAnswer(server: ServerIdentity(name: "primary"), backups: [], targets: [])

        #expect(
            LayoutRenderer(isTranslated: true).render(replies.list(answer)) == """
                Backups: []
                Server: primary
                ServerVersion: 0.1.0
                Targets: []

                """)
    }

    @Test func `info in text`() {
        let request: [String: OutputValue] = ["Server": .string("primary"), "Backup": .string("newest")]
        let reply = reply(.info, 1_729_874_141, seconds: 0, request, replies.info(BackupSamples.described))

        #expect(
            reply.render(.text) == """
                Header:
                  ClientVersion: 0.1.0
                  Command: info
                  Output: text
                  Timestamp: 20241025163541
                Outcome:
                  Status: true
                  Time: 00:00:00
                Request:
                  Backup: newest
                  Server: primary
                Response:
                  Backup: 20241019163516
                  BackupSize: 6.54MB
                  Chain:
                    - 20241019163516
                  CheckpointHiLSN: 0
                  CheckpointLoLSN: 4F0000B8
                  Comments: ''
                  Compression: zstd
                  Elapsed: 4
                  Encryption: none
                  EndHiLSN: 0
                  EndLoLSN: 4F000158
                  EndTimeline: 1
                  Incremental: false
                  Keep: true
                  MajorVersion: 17
                  MinorVersion: 0
                  NumberOfTablespaces: 0
                  RestoreSize: 45.82MB
                  Server: primary
                  ServerVersion: 0.1.0
                  StartHiLSN: 0
                  StartLoLSN: 4F000060
                  StartTimeline: 1
                  Tablespaces: {}
                  Targets:
                    - Durability: durable
                      Status: complete
                      Target: local
                  Valid: yes
                  WAL: 00000001000000000000004F

                """)
    }

    @Test func `info in json, with tablespaces, comments and two targets`() {
        var summary = BackupSamples.described
        summary.encryption = "aes-256-gcm"
        summary.comments = ["why": "before, or after | the\nmove"]
        summary.tablespaces = [.init(name: "fast", path: "/ssd")]
        summary.validity = .unknown
        summary.targets.append(TargetOutcome(target: "far", status: .failed, error: "no space left"))
        let request: [String: OutputValue] = ["Server": .string("primary"), "Backup": .string("newest")]
        let reply = reply(.info, 1_729_874_141, seconds: 3, request, replies.info(summary))

        #expect(
            reply.render(.json) == #"""
                {
                  "Header": {
                    "ClientVersion": "0.1.0",
                    "Command": "info",
                    "Output": "json",
                    "Timestamp": "20241025163541"
                  },
                  "Outcome": {
                    "Status": true,
                    "Time": 3
                  },
                  "Request": {
                    "Backup": "newest",
                    "Server": "primary"
                  },
                  "Response": {
                    "Backup": "20241019163516",
                    "BackupSize": 6857687,
                    "Chain": [
                      "20241019163516"
                    ],
                    "CheckpointHiLSN": 0,
                    "CheckpointLoLSN": 1325400248,
                    "Comments": "why|before\\, or after \\| the\nmove",
                    "Compression": "zstd",
                    "Elapsed": 4,
                    "Encryption": "aes-256-gcm",
                    "EndHiLSN": 0,
                    "EndLoLSN": 1325400408,
                    "EndTimeline": 1,
                    "Incremental": false,
                    "Keep": true,
                    "MajorVersion": 17,
                    "MinorVersion": 0,
                    "NumberOfTablespaces": 1,
                    "RestoreSize": 48045752,
                    "Server": "primary",
                    "ServerVersion": "0.1.0",
                    "StartHiLSN": 0,
                    "StartLoLSN": 1325400160,
                    "StartTimeline": 1,
                    "Tablespaces": {
                      "fast": "/ssd"
                    },
                    "Targets": [
                      {
                        "Durability": "durable",
                        "Status": "complete",
                        "Target": "local"
                      },
                      {
                        "Error": "no space left",
                        "Status": "failed",
                        "Target": "far"
                      }
                    ],
                    "Valid": "unknown",
                    "WAL": "00000001000000000000004F"
                  }
                }

                """#)
    }

    @Test func `a failure has the four parts, with code and number`() {
        var reply = reply(.backup, 1_727_506_604, seconds: 0, ["Server": .string("primary")], [:])
        reply.outcome = .failed(code: "storage-no-space")

        #expect(
            reply.render(.text) == """
                Header:
                  ClientVersion: 0.1.0
                  Command: backup
                  Output: text
                  Timestamp: 20240928065644
                Outcome:
                  Code: storage-no-space
                  Error: 4005
                  Status: false
                Request:
                  Server: primary
                Response: {}

                """)
    }
}
