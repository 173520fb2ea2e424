import BackupEngine
import BackupAPI
import BackupCLI
import Codecs
import Foundation
import TestSupport
import Testing

@Suite struct MasterKeyTests {
    private let cryptography = OpenSSLCryptography()

    private func file(_ folder: TemporaryFolder) -> MasterKeyFile {
        MasterKeyFile(path: folder.path("keys/master.key"), cryptography: cryptography)
    }

    private func code(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return CommandError.remediable(error).code
        }
    }

    @Test func `a random key is read back as it was made`() async throws {
        try await withTemporaryFolder { folder in
            let made = try file(folder).create(passphrase: nil)

            #expect(try file(folder).load() == made)
            #expect(made.secret.reveal().count == 32)
            #expect(made.id.utf8.count == 16)
        }
    }

    @Test func `a passphrase gives another key for each file, and the same again`() async throws {
        try await withTemporaryFolder { folder in
            let made = try file(folder).create(passphrase: Secret("correct horse"))
            let other = try MasterKeyFile(path: folder.path("other/master.key"), cryptography: cryptography)
                .create(passphrase: Secret("correct horse"))

            #expect(try file(folder).load() == made)
            #expect(made.secret != other.secret)
        }
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o601])
    func `a key that others could use is refused`(mode: Int) async throws {
        try await withTemporaryFolder { folder in
            _ = try file(folder).create(passphrase: nil)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file(folder).path)

            let error = #expect(throws: CommandError.self) { try file(folder).load() }

            #expect(error?.kind == .masterKeyReadable)
            #expect(error?.remedy.contains("chmod 600") == true)
        }
    }

    @Test func `a directory that others can write is refused`() async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(atPath: folder.path("keys"), withIntermediateDirectories: false)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path("keys"))

            #expect(code { _ = try file(folder).create(passphrase: nil) } == "master-key-readable")
            #expect(try folder.tree() == ["keys/"])
        }
    }

    @Test func `a missing key says how to make one`() async throws {
        try await withTemporaryFolder { folder in
            let error = #expect(throws: CommandError.self) { try file(folder).load() }

            #expect(error?.kind == .masterKeyMissing)
            #expect(error?.remedy.contains("pgmoneta-admin master-key") == true)
        }
    }

    @Test func `a key with any bit flipped is refused or the same key`() async throws {
        try await withTemporaryFolder { folder in
            let made = try file(folder).create(passphrase: nil)
            let bytes = try folder.read("keys/master.key")
            for index in bytes.indices {
                var damaged = bytes
                damaged[index] ^= 1
                try folder.write(damaged, to: "keys/master.key")
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file(folder).path)
                let loaded = try? file(folder).load()
                #expect(loaded == nil || loaded == made, "byte \(index)")
            }
        }
    }

    @Test(arguments: ["", "pgmoneta-master-key 2\nid: x\n", "pgmoneta-master-key 1\n", "\u{0}\u{1}"])
    func `what is not a master key is refused`(text: String) {
        #expect(MasterKeyText.read(Array(text.utf8)) == nil)
    }

    @Test func `a passphrase file with a cost that would take all memory or none is refused`() {
        for cost in [0, 1, 1 << 10, 1 << 30, (1 << 17) + 1] {
            let material = MasterKeyText.Material.passphrase(
                Secret("p"), salt: Array(repeating: 7, count: 32), cost: cost)
            #expect(MasterKeyText.read(MasterKeyText.write(material, id: "x")) == nil)
        }
    }

    @Test func `a users file survives a round trip, with its comments`() throws {
        let key = try MasterKey(secret: Secret(Array(repeating: 1, count: 32)), cryptography: cryptography)
            .usersKey(cryptography)
        var users = try UsersFile(Array("# mine\n".utf8), path: "u")
        try users.set("a:b", password: Secret("pässword"), key: key, cryptography: cryptography)
        try users.set("c", password: Secret("other"), key: key, cryptography: cryptography)

        let read = try UsersFile(users.bytes, path: "u")

        #expect(read == users)
        #expect(read.names == ["a:b", "c"])
        #expect(try read.password(of: "a:b", key: key, cryptography: cryptography)?.revealText() == "pässword")
        #expect(try read.password(of: "d", key: key, cryptography: cryptography) == nil)
        #expect(String(decoding: users.bytes, as: UTF8.self).hasPrefix("# mine\na:b:"))
    }

    @Test func `a sealed password under another name or key is refused`() throws {
        let key = Secret(Array(repeating: 1, count: 32))
        var users = UsersFile()
        try users.set("a", password: Secret("p"), key: key, cryptography: cryptography)
        let swapped = String(decoding: users.bytes, as: UTF8.self).replacing("a:", with: "b:", maxReplacements: 1)
        let read = try UsersFile(Array(swapped.utf8), path: "u")
        let otherKey = Secret(Array(repeating: 2, count: 32))

        #expect(throws: CodecError.self) { try read.password(of: "b", key: key, cryptography: cryptography) }
        #expect(throws: CodecError.self) { try users.password(of: "a", key: otherKey, cryptography: cryptography) }
    }

    @Test(arguments: ["repl", ":AAAA", "repl:", "repl:%%%%", "a:AAAA\na:AAAA"])
    func `a malformed users file names the line`(text: String) {
        let error = #expect(throws: CommandError.self) { try UsersFile(Array("# x\n\(text)\n".utf8), path: "u.conf") }

        #expect(error?.kind == .usersMalformed)
        #expect(error?.summary.hasPrefix("u.conf:") == true)
    }

    @Test func `base64 is as the standard gives it, and only that is read`() {
        let vectors = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "foobar": "Zm9vYmFy"]
        for (plain, text) in vectors {
            #expect(Base64.encode(Array(plain.utf8)) == text)
            #expect(Base64.decode(text) == Array(plain.utf8))
        }
        for text in ["Zg=", "Zg", "Zh==", "Z===", "====", "Zm9v\n", "Zm8=Zm8=", "Z g="] {
            #expect(Base64.decode(text) == nil)
        }
    }
}
