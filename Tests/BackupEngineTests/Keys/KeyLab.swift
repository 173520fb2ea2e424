import BackupAPI
import BackupConformance
import BackupEngine
import Codecs
import Synchronization
import Testing

/// An encrypted repository whose recipients are changed, and secrets that may open it.
struct KeyLab: Sendable {
    static let cryptography = OpenSSLCryptography()
    /// A machine's key, another machine's, and one that nobody knows.
    static let (host, other, stranger) = (master(1), master(2), master(3))
    static let safe = MasterKey(passphrase: Secret("correct horse battery"))

    let place: any StorageBackend
    /// Seconds since 1970; each change begins long after the last one's lease.
    private let clock = Clock()

    private final class Clock: Sendable {
        let seconds = Atomic<Int>(1_727_506_604)
    }

    /// Makes the repository with its first key, as the first backup does.
    init(_ place: any StorageBackend = MemoryBackend(name: "memory:keys")) async throws {
        self.place = place
        _ = try await Repository.openOrCreate(
            name: "keys", backend: place, isEncrypted: true, masterKey: Self.host, cryptography: Self.cryptography)
        _ = try await KeyStore(backend: place, cryptography: Self.cryptography).create(for: Self.host, now: now())
    }

    private static func master(_ seed: UInt8) -> MasterKey {
        MasterKey(secret: Secret([UInt8](repeating: seed, count: 32)), cryptography: cryptography)
    }

    func now() -> Int { clock.seconds.add(1000, ordering: .relaxed).newValue }

    /// Changes the recipients.
    /// - Parameter backend: in place of the repository's own, such as one that fails.
    @discardableResult func change(
        _ action: KeyChange.Action, with secrets: [MasterKey] = [KeyLab.host], on backend: (any StorageBackend)? = nil
    ) async throws -> KeyReport {
        let now = now()
        let store = KeyStore(backend: backend ?? place, cryptography: Self.cryptography)
        let taker = LeaseTaker(host: "lab", process: 1, clock: { now })
        return try await KeyChange(store, secrets: secrets, taker: taker).run(action, purpose: "key test")
    }

    @discardableResult func add(
        _ secret: MasterKey, name: String? = nil, with secrets: [MasterKey] = [KeyLab.host]
    ) async throws -> KeyReport {
        try await change(.add(Recipient(secret, name: name, cryptography: Self.cryptography)), with: secrets)
    }

    @discardableResult func rotate(
        with secrets: [MasterKey] = [KeyLab.host], leavingOut: [String] = []
    ) async throws -> KeyReport {
        try await change(.rotate(RepositoryKey(Self.cryptography), leavingOut: leavingOut), with: secrets)
    }

    @discardableResult func remove(
        _ recipient: String, with secrets: [MasterKey] = [KeyLab.host], keepsKey: Bool = false,
        leavingOut: [String] = []
    ) async throws -> KeyReport {
        let key = keepsKey ? nil : try RepositoryKey(Self.cryptography)
        return try await change(.remove(recipient, key, leavingOut: leavingOut), with: secrets)
    }

    func report() async throws -> KeyReport {
        try await KeyChange.report(KeyStore(backend: place, cryptography: Self.cryptography))
    }

    /// The keys that a secret opens.
    func ring(_ secret: MasterKey?) async throws -> KeyRing {
        let repository = try await Repository.open(
            name: "keys", backend: place, masterKey: secret, cryptography: Self.cryptography)
        return try #require(repository).keys
    }

    /// Why a secret opens nothing; nil when it opens something.
    func refusal(_ secret: MasterKey?) async -> EngineError? {
        do {
            _ = try await ring(secret)
            return nil
        } catch {
            return error as? EngineError
        }
    }

    /// Whether a secret opens all of some keys, and what is new is encrypted with the last of them.
    func opens(_ ids: [String], _ secret: MasterKey) async throws -> Bool {
        let ring = try await ring(secret)
        return ids.allSatisfy { ring.key($0) != nil } && ring.currentID == ids.last
    }

    /// Opens the repository for a backup.
    func prepareBackup(_ secret: MasterKey) async throws {
        _ = try await Repository.openOrCreate(
            name: "keys", backend: place, isEncrypted: true, masterKey: secret, cryptography: Self.cryptography)
    }
}

/// Why the engine refuses something.
func engineReason(_ body: () async throws -> Void) async -> EngineError.Reason? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? EngineError)?.reason
    }
}
