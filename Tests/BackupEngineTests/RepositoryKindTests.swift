import BackupAPI
import BackupConformance
import Codecs
import Testing

@testable import BackupEngine

/// A repository keeps encrypted backups or plain ones.
@Suite struct RepositoryKindTests {
    private let place = MemoryBackend(name: "memory:place")
    private let cryptography = OpenSSLCryptography()
    private let masterKey = MasterKey(id: "lab", secret: Secret([UInt8](repeating: 7, count: 32)))

    private func open(isEncrypted: Bool) async throws -> Repository {
        try await Repository.openOrCreate(
            name: "place", backend: place, isEncrypted: isEncrypted, masterKey: masterKey, cryptography: cryptography)
    }

    @Test(arguments: [true, false])
    func `the first backup decides, and the same kind is taken again`(isEncrypted: Bool) async throws {
        let made = try await open(isEncrypted: isEncrypted)
        let before = place.contents

        let again = try await open(isEncrypted: isEncrypted)

        #expect(made.description.isEncrypted == isEncrypted)
        #expect(again.description == made.description)
        #expect(place.contents == before)
    }

    @Test(arguments: [(true, EngineError.Reason.encryptionRequired), (false, .plainRepository)])
    func `the other kind is refused with a remedy, and changes nothing`(
        isEncrypted: Bool, reason: EngineError.Reason
    ) async throws {
        _ = try await open(isEncrypted: isEncrypted)
        let before = place.contents

        let error = await #expect(throws: EngineError.self) { _ = try await open(isEncrypted: !isEncrypted) }

        #expect(error?.reason == reason)
        #expect(error?.summary.contains("memory:place") == true)
        #expect(error?.remedy.isEmpty == false)
        #expect(place.contents == before)
    }
}
