import BackupAPI
import BackupConformance
import Testing

@testable import BackupEngine

/// Changes of recipients that break off, and key objects that are not what was written.
@Suite struct KeyAnomalyTests {
    /// A change, and who opens everything before and after it.
    enum Case: CaseIterable, Sendable {
        case add, rotate, remove

        func action() throws -> KeyChange.Action {
            switch self {
            case .add: .add(try Recipient(KeyLab.stranger, cryptography: KeyLab.cryptography))
            case .rotate: .rotate(try RepositoryKey(KeyLab.cryptography), leavingOut: [])
            case .remove: .remove(KeyLab.other.id, try RepositoryKey(KeyLab.cryptography), leavingOut: [])
            }
        }

        var staying: [MasterKey] { self == .remove ? [KeyLab.host] : [KeyLab.host, KeyLab.other] }
        var secrets: [MasterKey] { staying }
    }

    @Test(arguments: Case.allCases, [false, true])
    func `whichever call fails, who stays opens everything, and the change succeeds when it is made again`(
        _ change: Case, isAfter: Bool
    ) async throws {
        for number in 1... {
            let lab = try await KeyLab()
            try await lab.add(KeyLab.other)
            let old = try await lab.rotate(with: [KeyLab.host, KeyLab.other]).keys.map(\.id)
            let faulty = FaultyBackend(lab.place) { call in
                guard call.number == number else { return nil }
                return isAfter ? .failAfter(.test(.permissionDenied)) : .failBefore(.test(.permissionDenied))
            }

            let isDone = await succeeds { try await lab.change(change.action(), with: change.secrets, on: faulty) }

            for secret in change.staying {
                let ring = try await lab.ring(secret)
                #expect(old.allSatisfy { ring.key($0) != nil } && ring.currentID != nil, "call \(number)")
                try await lab.prepareBackup(secret)
            }
            if !isDone {
                let again = await engineReason {
                    try await lab.change(change.action(), with: change.secrets)
                }
                let done: [EngineError.Reason?] = [nil, .recipientExists, .recipientUnknown]
                #expect(done.contains(again), "call \(number)")
            }
            try await expectDone(change, lab, old, "call \(number)")
            if isDone, faulty.callCount < number { break }
            #expect(number < 200, "it ends")
        }
    }

    private func expectDone(_ change: Case, _ lab: KeyLab, _ old: [String], _ moment: String) async throws {
        let report = try await lab.report()
        #expect(report.keys.count { $0.isCurrent } == 1, "\(moment)")
        switch change {
        case .add: #expect(try await lab.opens(old, KeyLab.stranger), "\(moment)")
        case .rotate: #expect(report.keys.last.map { $0.isCurrent && !old.contains($0.id) } == true, "\(moment)")
        case .remove:
            #expect(await lab.refusal(KeyLab.other)?.reason == .notRecipient, "\(moment)")
            #expect(report.keys.last.map { $0.isCurrent && !old.contains($0.id) } == true, "\(moment)")
            let place = try #require(lab.place as? MemoryBackend)
            let texts = place.contents.filter { $0.key.string.hasPrefix("keys/") }.values
            let isNamed = texts.contains { String(decoding: $0, as: UTF8.self).contains(KeyLab.other.id) }
            #expect(!isNamed, "\(moment): a wrap is still there")
        }
    }

    private func succeeds(_ body: () async throws -> Void) async -> Bool {
        do {
            try await body()
            return true
        } catch {
            return false
        }
    }

    @Test func `a key object that was cut anywhere is damage, with what to do`() async throws {
        let lab = try await KeyLab()
        let place = try #require(lab.place as? MemoryBackend)
        let name = try Layout.key(try await lab.report().keys[0].id)
        let whole = try #require(place.contents[name])

        for count in stride(from: 0, to: whole.count - 1, by: 7) {
            place.plant(Array(whole[..<count]), at: name)

            let error = try #require(await lab.refusal(KeyLab.host), "\(count) bytes")
            #expect(error.reason == .keyDamaged && error.summary.contains(name.string), "\(count) bytes")
            #expect(error.remedy.contains("another target"))
        }
    }

    @Test func `a key object with a changed bit never gives another key, nor other recipients`() async throws {
        let lab = try await KeyLab()
        try await lab.add(KeyLab.other, name: "other")
        let place = try #require(lab.place as? MemoryBackend)
        let id = try await lab.report().keys[0].id
        let name = try Layout.key(id, revision: 1)
        let whole = try #require(place.contents[name])
        let key = try await lab.ring(KeyLab.host).key(id)

        for position in whole.indices {
            place.plant(whole, at: name)
            place.damage(name) { $0[position] ^= 1 << UInt8(position % 8) }

            let error = await lab.refusal(KeyLab.host)
            let reasons: [EngineError.Reason] = [.keyDamaged, .notRecipient, .unsupportedFormat]
            #expect(error.map { reasons.contains($0.reason) } == true, "byte \(position)")
        }
        place.plant(whole, at: name)
        #expect(try await lab.ring(KeyLab.host).key(id) == key)
    }

    @Test func `an older revision that somebody puts back does not count`() async throws {
        let lab = try await KeyLab()
        let place = try #require(lab.place as? MemoryBackend)
        try await lab.add(KeyLab.other)
        let id = try await lab.report().keys[0].id
        let (old, name) = (
            try #require(place.contents[try Layout.key(id, revision: 1)]), try Layout.key(id, revision: 1)
        )
        try await lab.remove(KeyLab.other.id)

        place.plant(old, at: name)
        #expect(await lab.refusal(KeyLab.other)?.reason == .notRecipient)
        // Under the name of a newer one it is not authentic.
        place.plant(old, at: try Layout.key(id, revision: 3))
        #expect(await lab.refusal(KeyLab.host)?.reason == .keyDamaged)
        place.plant(Array("junk".utf8), at: try ObjectKey("keys/README"))
        _ = try await place.delete([try Layout.key(id, revision: 3)])
        #expect(await lab.refusal(KeyLab.host) == nil)
    }

    @Test func `a key that comes with a copied backup does not encrypt where there is another`() async throws {
        let (source, destination) = (try await KeyLab(), try await KeyLab())
        let own = try await destination.report().keys[0].id
        try await source.rotate()
        let foreign = try await source.report().keys.map(\.id)
        let from = KeyStore(backend: source.place, cryptography: KeyLab.cryptography)
        let to = KeyStore(backend: destination.place, cryptography: KeyLab.cryptography)

        for id in foreign { try await from.copy(id, to: to, isForNewBackups: false) }

        let ring = try await destination.ring(KeyLab.host)
        #expect(ring.currentID == own && foreign.allSatisfy { ring.key($0) != nil })
        let empty = MemoryBackend(name: "memory:empty")
        let fresh = KeyStore(backend: empty, cryptography: KeyLab.cryptography)
        for id in foreign.reversed() { try await from.copy(id, to: fresh, isForNewBackups: false) }
        #expect(try await fresh.load(with: KeyLab.host, isRequired: true).ring.currentID == foreign[1])
    }
}
