import BackupAPI
import BackupCLI
import BackupEngine
import Glibc
import Synchronization

/// What the daemon knows at the moment. All of its work writes to it, the status page reads it.
final class DaemonState: Sendable {
    /// What is known of one server.
    struct Server: Sendable {
        var name: String
        /// The last look at its backups; nil before the first one.
        var backups: BackupListAnswer?
        /// Why the last look failed.
        var fault: String?
        /// How far its WAL is; nil where none is received.
        var receiver: ReceiverProgress.Reading?

        /// Whether every target could be looked at.
        var isSeen: Bool { fault == nil && backups?.targets.allSatisfy { $0.status != .failed } == true }
    }

    private let servers = Mutex<[String: Server]>([:])
    private let receivers = Mutex<[String: ReceiverProgress]>([:])
    /// When the daemon began, in seconds since 1970.
    let startedAt = time(nil)

    /// Forgets servers that are not configured any more.
    func begin(_ names: [String]) {
        servers.withLock { servers in
            servers = servers.filter { names.contains($0.key) }
            for name in names where servers[name] == nil { servers[name] = Server(name: name) }
        }
        receivers.withLock { $0 = $0.filter { names.contains($0.key) } }
    }

    /// The progress of a server's receiver.
    func receiver(of name: String) -> ReceiverProgress {
        receivers.withLock { receivers in
            if let known = receivers[name] { return known }
            let fresh = ReceiverProgress()
            receivers[name] = fresh
            return fresh
        }
    }

    /// Takes note of a look at a server's backups.
    func note(_ name: String, _ result: Result<BackupListAnswer, any Error>) {
        servers.withLock { servers in
            switch result {
            case .success(let answer):
                servers[name]?.backups = answer
                servers[name]?.fault = nil
            case .failure(let error): servers[name]?.fault = CommandError.remediable(error).summary
            }
        }
    }

    /// All servers, by name.
    var all: [Server] {
        let progress = receivers.withLock { $0 }
        return servers.withLock { Array($0.values) }.sorted { $0.name < $1.name }.map { server in
            var server = server
            server.receiver = progress[server.name]?.reading
            return server
        }
    }
}
