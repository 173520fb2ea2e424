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
        /// Whether PostgreSQL answered then; nil before the first look.
        var isAnswering: Bool?
        /// Whether the daemon works for it.
        var isOnline = true
        /// Why the last look failed.
        var fault: String?
        /// How far its WAL is; nil where none is received.
        var receiver: ReceiverProgress.Reading?

        /// Whether every target could be looked at.
        var isSeen: Bool { fault == nil && backups?.targets.allSatisfy { $0.status != .failed } == true }
    }

    private let servers = Mutex<[String: Server]>([:])
    private let offline = Mutex<Set<String>>([])
    private let receivers = Mutex<[String: ReceiverProgress]>([:])
    /// When the daemon began, in seconds since 1970.
    let startedAt = time(nil)

    /// Forgets servers that are not configured any more.
    func begin(_ names: [String]) {
        servers.withLock { servers in
            servers = servers.filter { names.contains($0.key) }
            for name in names where servers[name] == nil { servers[name] = Server(name: name) }
        }
        // Of a server that is left alone nothing is received.
        receivers.withLock { $0 = $0.filter { names.contains($0.key) && isOnline($0.key) } }
    }

    /// Whether the daemon works for a server.
    func isOnline(_ name: String) -> Bool { offline.withLock { !$0.contains(name) } }

    /// Takes note of what it was told about a server.
    func setMode(_ name: String, isOnline: Bool) {
        offline.withLock { offline in
            if isOnline { offline.remove(name) } else { offline.insert(name) }
        }
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

    /// Takes note of whether PostgreSQL answers.
    /// - Returns: whether that is news.
    func note(_ name: String, isAnswering: Bool) -> Bool {
        servers.withLock { servers in
            defer { servers[name]?.isAnswering = isAnswering }
            return servers[name].map { $0.isAnswering ?? true != isAnswering } ?? false
        }
    }

    /// All servers, by name.
    var all: [Server] {
        let progress = receivers.withLock { $0 }
        return servers.withLock { Array($0.values) }.sorted { $0.name < $1.name }.map { server in
            var server = server
            server.receiver = progress[server.name]?.reading
            server.isOnline = isOnline(server.name)
            return server
        }
    }
}
