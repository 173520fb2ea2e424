import BackupAPI
import Foundation
import Glibc

@testable import SSHBackend

/// An sshd of our own on a free port of the loopback, with its own host key and authorized keys.
final class LoopbackServer: @unchecked Sendable {
    let scratch: Scratch
    let port: Int
    private let process: ChildProcess

    /// Starts it and waits until it listens.
    init(subsystem: String = DirectServer.program) throws {
        scratch = try Scratch()
        port = try LoopbackServer.freePort()
        for name in ["host", "user", "stranger"] { try LoopbackServer.makeKey("\(scratch.path)/\(name)") }
        try scratch.write("authorized", try scratch.text("user.pub"))
        try scratch.write("known", "* \(try scratch.text("host.pub"))")
        try scratch.write("changed", "* \(try scratch.text("stranger.pub"))")
        try scratch.write("empty", "")
        try FileManager.default.createDirectory(atPath: "\(scratch.path)/place", withIntermediateDirectories: false)
        let config = try scratch.write(
            "sshd_config",
            """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(scratch.path)/host
            AuthorizedKeysFile \(scratch.path)/authorized
            PidFile \(scratch.path)/sshd.pid
            UsePAM no
            StrictModes no
            PermitRootLogin yes
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            MaxStartups 100
            Subsystem sftp \(subsystem)

            """)
        // sshd separates privileges in this empty folder and does not start without it.
        try? FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        process = try ChildProcess(
            ProcessLaunch(
                program: "/usr/sbin/sshd", arguments: ["-D", "-f", config, "-E", "\(scratch.path)/sshd.log"],
                environment: [:]))
        try waitUntilListening()
    }

    deinit {
        kill(process.identifier, SIGTERM)
        _ = process.finish()
    }

    /// The fingerprint of the host's key.
    func fingerprint(of name: String = "host") throws -> String {
        let run = try ProgramRun(
            ProcessLaunch(
                program: "/usr/bin/ssh-keygen", arguments: ["-lf", "\(scratch.path)/\(name).pub"], environment: [:]),
            limit: .seconds(10))
        return String(run.output.split(separator: " ")[1])
    }

    /// Opens a target in the folder `place`; the settings replace the usual ones, an empty text takes one away.
    func open(
        port: Int? = nil, host: String = "127.0.0.1", settings: [String: String] = [:]
    ) async throws -> SSHBackend {
        let usual = [
            "private_key_file": "\(scratch.path)/user", "known_hosts_file": "\(scratch.path)/known",
            "config_file": "/dev/null", "connect_timeout": "20",
        ]
        let user = NSUserName()
        let location = try TargetLocation("sftp://\(user)@\(host):\(port ?? self.port)\(scratch.path)/place")
        let values = usual.merging(settings) { _, new in new }.mapValues { Secret($0) }
        let backend = try await SSHBackendFactory.factory().open(TargetSettings(location: location, values: values))
        guard let backend = backend as? SSHBackend else { throw Unexpected() }
        return backend
    }

    /// A port that nothing listens on.
    static func freePort() throws -> Int {
        let listener = try Listener()
        defer { listener.close() }
        return listener.port
    }

    private static func makeKey(_ path: String) throws {
        let arguments = ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path]
        let launch = ProcessLaunch(program: "/usr/bin/ssh-keygen", arguments: arguments, environment: [:])
        guard try ProgramRun(launch, limit: .seconds(20)).end == .exited(0) else { throw Unexpected() }
    }

    private func waitUntilListening() throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if let socket = Listener.connect(to: port) {
                Glibc.close(socket)
                return
            }
            guard kill(process.identifier, 0) == 0 else { break }
            usleep(10_000)
        }
        throw Unexpected()
    }
}

/// A listening socket on the loopback.
struct Listener {
    let descriptor: Int32
    let port: Int

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        self.descriptor = descriptor
        var address = Listener.address(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                let bound = unsafe bind(descriptor, pointer, length)
                return unsafe bound == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard result else { throw Unexpected() }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    func close() { Glibc.close(descriptor) }

    /// A connected socket; nil when nobody listens.
    static func connect(to port: Int) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = address(port: port)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe Glibc.connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result == 0 { return descriptor }
        Glibc.close(descriptor)
        return nil
    }

    private static func address(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
