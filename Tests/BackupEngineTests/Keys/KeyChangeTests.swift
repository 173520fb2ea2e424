import BackupAPI
import BackupConformance
import BackupEngine
import Testing

@Suite struct KeyChangeTests {
    @Test func `who was added opens every key, and so does who was there`() async throws {
        let lab = try await KeyLab()
        try await lab.rotate()
        let report = try await lab.add(KeyLab.other, name: "second host")

        let ids = report.keys.map(\.id)
        #expect(ids.count == 2)
        #expect(try await lab.opens(ids, KeyLab.other))
        #expect(try await lab.opens(ids, KeyLab.host))
        let added = try #require(report.recipients.first { $0.id == KeyLab.other.id })
        #expect(added.name == "second host" && added.kind == "master-key" && added.keyCount == 2 && added.opensCurrent)
        #expect(await engineReason { try await lab.add(KeyLab.other) } == .recipientExists)
    }

    @Test func `a passphrase opens what it was added to, and a wrong one is told so`() async throws {
        let lab = try await KeyLab()
        let ids = try await lab.add(KeyLab.safe, name: "the safe").keys.map(\.id)

        #expect(try await lab.opens(ids, KeyLab.safe))
        let wrong = try #require(await lab.refusal(MasterKey(passphrase: Secret("correct horse batterz"))))
        #expect(wrong.reason == .notRecipient)
        #expect(wrong.summary.contains("this passphrase is not one of the recipients"))
        #expect(wrong.summary.contains("'the safe'"))
        // The same passphrase keeps its salt, whoever gives it.
        #expect(await engineReason { try await lab.add(KeyLab.safe) } == .recipientExists)
        let rotated = try await lab.rotate(with: [KeyLab.safe, KeyLab.host])
        #expect(rotated.recipients.count == 2)
        #expect(try await lab.opens(rotated.keys.map(\.id), KeyLab.safe))
    }

    @Test func `a wrong master key and none are told apart`() async throws {
        let lab = try await KeyLab()

        let wrong = try #require(await lab.refusal(KeyLab.stranger))
        #expect(wrong.reason == .notRecipient && wrong.summary.contains(KeyLab.stranger.id))
        #expect(wrong.summary.contains(KeyLab.host.id) && wrong.remedy.contains("key add"))
        #expect(await lab.refusal(nil)?.reason == .masterKeyMissing)
        #expect(await engineReason { try await lab.rotate(with: [KeyLab.stranger]) } == .notRecipient)
        #expect(await engineReason { try await lab.rotate(with: []) } == .masterKeyMissing)
    }

    @Test func `who was removed opens nothing, and what is new has a key that they never had`() async throws {
        let lab = try await KeyLab()
        try await lab.add(KeyLab.other)
        let known = try await lab.ring(KeyLab.other)

        let report = try await lab.remove(KeyLab.other.id)

        #expect(await lab.refusal(KeyLab.other)?.reason == .notRecipient)
        let current = try #require(report.keys.last { $0.isCurrent })
        #expect(known.key(current.id) == nil && report.keys.count == 2)
        #expect(report.recipients.map(\.id) == [KeyLab.host.id])
        #expect(try await lab.opens(report.keys.map(\.id), KeyLab.host))
        #expect(await engineReason { try await lab.remove(KeyLab.other.id) } == .recipientUnknown)
        // Its wraps are gone from the place, too.
        let store = KeyStore(backend: lab.place, cryptography: KeyLab.cryptography)
        #expect(try await store.load(with: KeyLab.other, isRequired: false).ring.isEmpty)
    }

    @Test func `a lost secret is removed without a new key where that is asked for, by its name`() async throws {
        let lab = try await KeyLab()
        try await lab.add(KeyLab.other, name: "old laptop")

        let report = try await lab.remove("old laptop", keepsKey: true)

        #expect(report.keys.count == 1 && report.recipients.map(\.id) == [KeyLab.host.id])
    }

    @Test func `the last recipient stays`() async throws {
        let lab = try await KeyLab()
        let before = try await lab.report()

        for keepsKey in [false, true] {
            #expect(
                await engineReason { try await lab.remove(KeyLab.host.id, keepsKey: keepsKey) } == .lastRecipient)
        }
        try await lab.add(KeyLab.safe, name: "safe")
        #expect(
            await engineReason { try await lab.remove(KeyLab.host.id, leavingOut: ["safe"]) } == .lastRecipient)

        #expect(try await lab.report().keys.map(\.id) == before.keys.map(\.id))
        #expect(try await lab.opens(before.keys.map(\.id), KeyLab.host))
    }

    @Test func `a master key is replaced by another, and then only that one opens the repository`() async throws {
        let lab = try await KeyLab()
        try await lab.add(KeyLab.other)

        let report = try await lab.remove(KeyLab.host.id, with: [KeyLab.other])

        #expect(try await lab.opens(report.keys.map(\.id), KeyLab.other))
        #expect(await lab.refusal(KeyLab.host)?.reason == .notRecipient)
    }

    @Test func `a new key needs everybody's secret, and names who is missing`() async throws {
        let lab = try await KeyLab()
        try await lab.add(KeyLab.safe, name: "the safe")
        try await lab.add(KeyLab.other)

        let error = await #expect(throws: EngineError.self) { try await lab.rotate(with: [KeyLab.host, KeyLab.other]) }

        #expect(error?.reason == .recipientAbsent && error?.summary.contains("'the safe'") == true)
        #expect(error?.remedy.contains("--leave-out") == true)
        #expect(await engineReason { try await lab.remove(KeyLab.other.id) } == .recipientAbsent)
        #expect(try await lab.report().keys.count == 1)
    }

    @Test func `who was left out reads what is old, encrypts nothing, and may be let in again`() async throws {
        let lab = try await KeyLab()
        try await lab.add(KeyLab.other)

        let ids = try await lab.rotate(leavingOut: [KeyLab.other.id]).keys.map(\.id)

        let ring = try await lab.ring(KeyLab.other)
        #expect(ring.key(ids[0]) != nil && ring.key(ids[1]) == nil && ring.currentID == nil)
        #expect(await engineReason { try await lab.prepareBackup(KeyLab.other) } == .notRecipient)
        #expect(await engineReason { try await lab.rotate(with: [KeyLab.other]) } == .notRecipient)
        try await lab.prepareBackup(KeyLab.host)
        try await lab.add(KeyLab.other)
        #expect(try await lab.opens(ids, KeyLab.other))
    }

    @Test func `of two that change recipients at once one is told who the other is`() async throws {
        let lab = try await KeyLab()
        let now = lab.now()
        let taker = LeaseTaker(host: "elsewhere", process: 7, clock: { now })
        let lease = try await taker.takeKeyLease("key rotate", on: lab.place)
        let store = KeyStore(backend: lab.place, cryptography: KeyLab.cryptography)
        let second = LeaseTaker(host: "here", process: 1, clock: { now })

        let error = await #expect(throws: EngineError.self) {
            let recipient = try Recipient(KeyLab.other, cryptography: KeyLab.cryptography)
            _ = try await KeyChange(store, secrets: [KeyLab.host], taker: second).run(
                .add(recipient), purpose: "key add")
        }

        #expect(error?.reason == .busy && error?.retry == .later)
        #expect(error?.summary.contains("key rotate of 'keys' by process 7 on elsewhere") == true)
        await lease.release()
        #expect(try await lab.report().recipients.count == 1)
    }

    @Test func `a plain repository has no recipients`() async throws {
        let place = MemoryBackend(name: "memory:plain")
        let store = KeyStore(backend: place, cryptography: KeyLab.cryptography)
        #expect(await engineReason { _ = try await KeyChange.report(store) } == .noBackup)
        _ = try await Repository.openOrCreate(
            name: "plain", backend: place, isEncrypted: false, masterKey: nil, cryptography: KeyLab.cryptography)

        #expect(await engineReason { _ = try await KeyChange.report(store) } == .plainRepository)
    }
}
