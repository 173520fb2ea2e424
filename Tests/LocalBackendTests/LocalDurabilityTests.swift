import BackupAPI
import Glibc
import TestSupport
import Testing

@testable import LocalBackend

/// The folder above a target belongs to somebody else.
struct LocalDurabilityTests {
    private let folder: TemporaryFolder
    private let key: ObjectKey

    init() throws {
        folder = try TemporaryFolder()
        key = try ObjectKey("a/b/object")
    }

    /// In `/proc`, fsync(2) gives EINVAL, as it does in an automounter's folder.
    @Test func `a root that was there is used where the folder above it cannot be synced`() async throws {
        let root = try Descriptor.folder(atPath: folder.path)
        let backend = LocalBackend(path: "/proc/self/fd/\(root.number)")

        try await backend.put(key, bytes: [1, 2, 3])

        #expect(try folder.read("a/b/object") == [1, 2, 3])
    }

    @Test func `a root that was there is used where the folder above it cannot be read`() throws {
        try makeFolder("above", 0o700)
        try makeFolder("above/root", 0o700)
        #expect(unsafe chmod(folder.path("above"), 0o311) == 0)
        defer { unsafe chmod(folder.path("above"), 0o700) }

        let fault = fault(writingTo: folder.path("above/root"))

        #expect(fault == nil)
    }

    @Test func `a root whose name cannot be made durable by its maker is refused`() throws {
        try makeFolder("above", 0o311)
        defer { unsafe chmod(folder.path("above"), 0o700) }

        let fault = fault(writingTo: folder.path("above/root"))

        #expect(fault == SystemFault(EACCES, concernsRoot: true))
    }

    /// The unprivileged user that the folders belong to; this one, when the tests do not run as root.
    private static let user: uid_t = geteuid() == 0 ? 65_534 : geteuid()

    private func makeFolder(_ name: String, _ mode: mode_t) throws {
        // Sound: the strings live for the length of the calls.
        try #require(unsafe mkdir(folder.path(name), 0o700) == 0)
        try #require(unsafe chown(folder.path(name), Self.user, gid_t.max) == 0)
        try #require(unsafe chmod(folder.path(name), mode) == 0)
    }

    /// Makes a folder below a root and makes it durable, as a writer does, on a thread with that user's rights.
    private func fault(writingTo root: String) -> SystemFault? {
        let attempt = Attempt(root: root)
        var thread = pthread_t()
        // Sound: the attempt lives until the thread was waited for.
        let context = unsafe Unmanaged.passUnretained(attempt).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                unsafe Unmanaged<Attempt>.fromOpaque(context).takeUnretainedValue().run()
                return nil
            }, context)
        #expect(code == 0)
        pthread_join(thread, nil)
        return attempt.fault
    }

    /// `@unchecked Sendable`: one thread runs it, and another one looks at it when that has ended.
    private final class Attempt: @unchecked Sendable {
        let root: String
        var fault: SystemFault?

        init(root: String) { self.root = root }

        func run() {
            Self.takeRights(of: LocalDurabilityTests.user)
            let tree = LocalTree(path: root)
            do throws(SystemFault) {
                try tree.withNewFolder(["a"]) { (folder) throws(SystemFault) in try tree.makeDurable(["a"], folder) }
            } catch {
                fault = error
            }
        }

        /// Gives this thread alone the rights of a user on files (setfsuid(2), which Swift's Glibc does not have).
        private static func takeRights(of user: uid_t) {
            typealias SetUser = @convention(c) (uid_t) -> CInt
            guard let symbol = unsafe dlsym(nil, "setfsuid") else { return }
            // Sound: it is that function.
            let setUser = unsafe unsafeBitCast(symbol, to: SetUser.self)
            _ = setUser(user)
        }
    }
}
