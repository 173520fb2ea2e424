import BackupAPI
import BackupConformance
import TestSupport
import Testing

@testable import SSHBackend

/// A real sshd on the loopback.
@Suite struct `An SFTP target behind sshd` {
    @Test func `keeps every law`() async throws {
        let server = try SSHServer()

        let report = await BackendConformance(makeBackend: { try await server.open() }, prefix: "").run()

        #expect(report.findings.allSatisfy { $0.outcome == .passed }, "\(report)")
    }

    @Test func `refuses an unknown host key and shows how to see it`() async throws {
        let server = try SSHServer()

        let error = try await storageError {
            _ = try await server.open(settings: ["known_hosts_file": server.files.path("empty")])
        }

        #expect(error?.reason == .notAuthenticated)
        #expect(error?.remedy.contains("ssh-keyscan -p \(server.port) 127.0.0.1 | ssh-keygen -lf -") == true)
        #expect(error?.retry == .never)
    }

    @Test func `refuses a host key that has changed`() async throws {
        let server = try SSHServer()

        let error = try await storageError {
            _ = try await server.open(settings: ["known_hosts_file": server.files.path("changed")])
        }

        #expect(error?.reason == .notAuthenticated)
        #expect(error?.remedy.contains("was changed") == true, "\(error?.remedy ?? "")")
    }

    @Test func `accepts the host key with the fingerprint in the settings, whatever is known`() async throws {
        let server = try SSHServer()

        let backend = try await server.open(settings: [
            "host_key_fingerprint": try server.fingerprint(), "known_hosts_file": server.files.path("changed"),
        ])
        try await backend.put(try ObjectKey("object"), bytes: [1, 2])

        #expect(try await backend.read(try ObjectKey("object"), limit: 9) == [1, 2])
        await backend.close()
    }

    @Test func `refuses a host key with another fingerprint, and names both`() async throws {
        let server = try SSHServer()
        let other = try server.fingerprint(of: "stranger")

        let error = try await storageError { _ = try await server.open(settings: ["host_key_fingerprint": other]) }

        #expect(error?.reason == .notAuthenticated)
        #expect(error?.detail?.contains(other) == true)
        #expect(error?.detail?.contains(try server.fingerprint()) == true)
    }

    @Test func `refuses to go on with a key that the server does not accept`() async throws {
        let server = try SSHServer()

        let error = try await storageError {
            _ = try await server.open(settings: ["private_key_file": server.files.path("stranger")])
        }

        #expect(error?.reason == .notAuthenticated)
        #expect(error?.detail?.contains("Permission denied") == true)
    }

    @Test func `says that a private key file is missing, or may be read by others`() async throws {
        let server = try SSHServer()
        try server.files.write(server.files.read("user"), to: "open")
        let open = server.files.path("open")

        let missing = try await storageError { _ = try await server.open(settings: ["private_key_file": "/no/key"]) }
        let loose = try await storageError { _ = try await server.open(settings: ["private_key_file": open]) }

        #expect(missing?.reason == .misconfigured)
        #expect(loose?.reason == .misconfigured)
        #expect(loose?.remedy.contains("chmod 600") == true)
    }

    @Test func `says that nothing listens, or that there is no such host or program`() async throws {
        let server = try SSHServer()
        let port = LoopbackSocket.freePorts(1)[0]

        let refused = try await storageError { _ = try await server.open(port: port) }
        let unknown = try await storageError { _ = try await server.open(host: "no-such-host.invalid") }
        let missing = try await storageError { _ = try await server.open(settings: ["ssh_command": "/no/ssh"]) }

        #expect(refused?.reason == .unavailable)
        #expect(refused?.detail?.contains("Connection refused") == true)
        #expect(unknown?.reason == .misconfigured || unknown?.reason == .unavailable)
        #expect(unknown?.detail?.contains("Could not resolve hostname") == true)
        #expect(missing?.reason == .misconfigured)
        #expect(missing?.remedy.contains("openssh-client") == true)
    }

    @Test func `says that the server has no SFTP`() async throws {
        let server = try SSHServer(subsystem: "/no/such/server")

        let error = try await storageError { _ = try await server.open() }

        #expect(error?.reason == .unavailable || error?.reason == .unsupported)
    }

    @Test func `says that a login script prints text`() async throws {
        let scratch = try Scratch()
        let chatty = try scratch.write(
            "chatty", "#!/bin/sh\necho Welcome\nexec \(DirectServer.program)\n", mode: 0o700)

        let error = try await storageError { _ = try await DirectServer.open(scratch, program: chatty) }

        #expect(error?.reason == .failed)
        #expect(error?.detail?.contains("'Welc…'") == true)
    }

    @Test func `uses aliases of the user's ssh_config`() async throws {
        let server = try SSHServer()
        let aliases =
            "Host alias\n  HostName 127.0.0.1\n  Port \(server.port)\n  RequestTTY force\n  RemoteCommand id\n"
        try server.files.write(Array(aliases.utf8), to: "ssh_config")
        let location = try TargetLocation("sftp://\(SSHServer.user)@alias\(server.place.path)")
        let values = [
            "config_file": server.files.path("ssh_config"), "private_key_file": server.files.path("user"),
            "host_key_fingerprint": try server.fingerprint(),
        ]

        let backend = try await SSHBackendFactory.factory().open(
            TargetSettings(location: location, values: values.mapValues { Secret($0) }))
        try await backend.put(try ObjectKey("object"), bytes: [1])

        #expect(try server.place.tree() == ["object"])
        await backend.close()
    }
}
