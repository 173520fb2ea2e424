import BackupCLI
import BackupAPI
import Foundation
import TestSupport
import Testing

/// The programs as a user runs them.
@Suite struct ProgramTests {
    private let user = BuiltProgram(name: "pgmoneta-cli")
    private let administration = BuiltProgram(name: "pgmoneta-admin")

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require((attributes[.posixPermissions] as? NSNumber)?.intValue)
    }

    private func usersStore(_ folder: TemporaryFolder, _ environment: [String: String]) -> UsersStore {
        let cryptography = Kit.standard.cryptography
        return UsersStore(path: folder.path("pgmoneta_users.conf"), cryptography: cryptography) {
            MasterKeyFile(path: try MasterKeyFile.standardPath(environment), cryptography: cryptography)
        }
    }

    @Test func `the version needs no configuration and no home`() throws {
        let result = try user.run(["--version"])

        #expect(result.exitCode == 0)
        #expect(result.output == "pgmoneta-cli 0.1.0\n")
        #expect(result.errors.isEmpty)
        #expect(try administration.run(["-V"]).output == "pgmoneta-admin 0.1.0\n")
    }

    @Test func `wrong usage ends with 2 and writes to standard error alone`() throws {
        let result = try user.run(["conf", "bogus"])

        #expect(result.exitCode == 2)
        #expect(result.output.isEmpty)
        #expect(result.errors.hasPrefix("error: "))
    }

    @Test func `a missing configuration ends with 2`() throws {
        let result = try user.run(["target", "ls", "-F", "json"], environment: ["PGMONETA_CONFIG_DIR": "/nowhere"])

        #expect(result.exitCode == 2)
        #expect(result.output.contains("\"Code\": \"configuration-unreadable\""))
        #expect(result.errors.contains("error: /nowhere/pgmoneta.conf: there is no such file\nremedy: "))
    }

    @Test(arguments: ["current", "time=2024-09-28 06:56:44", "lsn=0/3000060", "timeline=latest", "replica"])
    func `a position is read before a backup is looked for`(position: String) async throws {
        try await withTemporaryFolder { folder in
            let text = "[pgmoneta]\nbase_dir = \(folder.path("b"))\n[primary]\nhost = h\nuser = u\n"
            try folder.write(Array(text.utf8), to: "pgmoneta.conf")
            func restore(_ position: String) throws -> BuiltProgram.Result {
                try user.run(
                    ["restore", "primary", "newest", position, folder.path("r")],
                    environment: ["PGMONETA_CONFIG_DIR": folder.path])
            }

            let looked = try restore(position)
            let refused = try restore(position + ",name=a,xid=7")

            #expect(looked.output.contains("Code: no-backup"), "\(looked.output)")
            #expect(refused.exitCode == 2)
            #expect(refused.output.contains("Code: usage"))
        }
    }

    @Test func `without a home, users are listed, and a password is not sealed`() async throws {
        try await withTemporaryFolder { folder in
            let environment = ["PGMONETA_CONFIG_DIR": folder.path, "PGMONETA_PASSWORD": "p"]

            let listed = try administration.run(["user", "ls"], environment: environment)
            let added = try administration.run(["user", "add", "repl"], environment: environment)

            #expect(listed.exitCode == 0, "\(listed.errors)")
            #expect(added.output.contains("Code: master-key-missing"))
            #expect(added.errors.contains("--master-key"))
        }
    }

    @Test func `the first interruption is told, the second one ends the program`() async throws {
        try await withTemporaryFolder { folder in
            let fifo = folder.path("pgmoneta.conf")
            try #require(unsafe mkfifo(fifo, 0o600) == 0)
            let (process, errors) = try user.start(["conf", "check", "-c", fifo])
            // Succeeds as soon as the program reads the configuration, which then never comes.
            var writer: Int32 = -1
            while writer < 0, process.isRunning { writer = unsafe open(fifo, O_WRONLY | O_NONBLOCK) }
            defer { close(writer) }

            process.interrupt()
            let told = String(decoding: errors.availableData, as: UTF8.self)
            #expect(process.isRunning)
            process.interrupt()
            process.waitUntilExit()

            #expect(told.hasPrefix("interrupted: "))
            #expect(process.terminationReason == .exit)
            #expect(process.terminationStatus == 1)
        }
    }

    @Test func `a starter configuration passes conf check`() async throws {
        try await withTemporaryFolder { folder in
            let made = try administration.run(["init", "--part", "configuration", "--base-dir", folder.path("b")])
            try folder.write(Array(made.output.utf8), to: "pgmoneta.conf")

            let result = try user.run(["conf", "check"], environment: ["PGMONETA_CONFIG_DIR": folder.path])

            #expect(made.exitCode == 0)
            #expect(result.exitCode == 0, "\(result.errors)")
            #expect(result.errors.isEmpty)
        }
    }

    @Test func `a master key is made once, for its owner alone`() async throws {
        try await withTemporaryFolder { folder in
            let first = try administration.run(["master-key"], environment: ["HOME": folder.path])
            let path = folder.path(".pgmoneta/master.key")
            let bytes = try folder.read(".pgmoneta/master.key")
            let second = try administration.run(["master-key"], environment: ["HOME": folder.path])

            #expect(first.exitCode == 0)
            #expect(try mode(path) == 0o600)
            #expect(try mode(folder.path(".pgmoneta")) == 0o700)
            #expect(second.exitCode == 1)
            #expect(second.output.contains("Code: master-key-exists"))
            #expect(try folder.read(".pgmoneta/master.key") == bytes)
            #expect(try folder.tree() == [".pgmoneta/", ".pgmoneta/master.key"])
            let key = String(decoding: bytes, as: UTF8.self).split(separator: "\n").last.map { $0.dropFirst(5) }
            #expect(!first.output.contains(try #require(key)))
        }
    }

    @Test func `ten at once make one master key`() async throws {
        try await withTemporaryFolder { folder in
            let codes = try await withThrowingTaskGroup(of: Int32.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try administration.run(["master-key"], environment: ["HOME": folder.path]).exitCode
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.sorted() == [0, 1, 1, 1, 1, 1, 1, 1, 1, 1])
            #expect(try folder.tree() == [".pgmoneta/", ".pgmoneta/master.key"])
        }
    }

    @Test func `users are added, changed, listed and taken out, sealed and for the owner alone`() async throws {
        try await withTemporaryFolder { folder in
            let environment = ["HOME": folder.path, "PGMONETA_CONFIG_DIR": folder.path]
            func run(_ arguments: [String], password: String? = nil) throws -> BuiltProgram.Result {
                var environment = environment
                environment["PGMONETA_PASSWORD"] = password
                return try administration.run(arguments, environment: environment)
            }
            #expect(try run(["user", "add", "repl"], password: "x").errors.contains("pgmoneta-admin master-key"))
            _ = try run(["master-key"])

            let added = try run(["user", "add", "repl"], password: "first secret")
            let again = try run(["-U", "repl", "user", "add"], password: "other")
            let edited = try run(["user", "edit", "repl"], password: "second secret")
            let listed = try run(["user", "ls", "-F", "json"])
            let store = usersStore(folder, environment)

            #expect(added.exitCode == 0, "\(added.errors)")
            #expect(again.exitCode == 1)
            #expect(again.output.contains("Code: user-exists"))
            #expect(edited.exitCode == 0)
            #expect(listed.output.contains("\"Users\": [\n      \"repl\"\n    ]"))
            #expect(try store.password(of: "repl")?.revealText() == "second secret")
            #expect(try mode(store.path) == 0o600)
            let text = String(decoding: try folder.read("pgmoneta_users.conf"), as: UTF8.self)
            #expect(text.hasPrefix("repl:") && !text.contains("secret"))
            #expect(try run(["user", "del", "repl"]).exitCode == 0)
            #expect(try run(["user", "del", "repl"]).output.contains("Code: user-unknown"))
            #expect(try store.names().isEmpty)
        }
    }

    @Test func `a password comes from a file or standard input, never without one of them`() async throws {
        try await withTemporaryFolder { folder in
            let environment = ["HOME": folder.path, "PGMONETA_CONFIG_DIR": folder.path]
            _ = try administration.run(["master-key"], environment: environment)
            let piped = try administration.run(
                ["user", "add", "a", "--password-file", "-"], environment: environment, input: "piped\n")
            try folder.write(Array("filed\r\nsecond line\n".utf8), to: "password")
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.path("password"))
            let open = try administration.run(
                ["user", "add", "b", "--password-file", folder.path("password")], environment: environment)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.path("password"))
            let closed = try administration.run(
                ["user", "add", "b", "--password-file", folder.path("password")], environment: environment)

            #expect(piped.exitCode == 0)
            #expect(open.output.contains("Code: password-unusable"))
            #expect(closed.exitCode == 0)
            let store = usersStore(folder, environment)
            #expect(try store.password(of: "a")?.revealText() == "piped")
            #expect(try store.password(of: "b")?.revealText() == "filed")
        }
    }

    @Test func `many changes at once lose none`() async throws {
        try await withTemporaryFolder { folder in
            let environment = [
                "HOME": folder.path, "PGMONETA_CONFIG_DIR": folder.path, "PGMONETA_PASSWORD": "p",
            ]
            _ = try administration.run(["master-key"], environment: environment)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        _ = try administration.run(["user", "add", "u\(number)"], environment: environment)
                    }
                }
                try await group.waitForAll()
            }

            let listed = try administration.run(["user", "ls", "-F", "json"], environment: environment)

            for number in 0..<8 { #expect(listed.output.contains("\"u\(number)\"")) }
        }
    }
}
