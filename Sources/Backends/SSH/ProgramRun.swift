internal import BackupAPI
import Glibc

/// A program that was run to its end with no input.
struct ProgramRun {
    /// How it ended.
    let end: ProcessEnd
    /// The beginning of its standard output: at most 64 KiB.
    let output: String
    /// The last of its standard error.
    let messages: String

    /// Runs a program and waits for it.
    /// - Throws: `ChannelLoss` when it cannot be started, or takes longer than `limit`.
    init(_ launch: ProcessLaunch, limit: Duration) throws(ChannelLoss) {
        let program = try ChildProcess(launch)
        shutdown(program.stream, Int32(SHUT_WR))
        var output: [UInt8] = []
        var tail = MessageTail()
        let deadline = ContinuousClock.now + limit
        var open = [program.stream, program.messages]
        while !open.isEmpty, ContinuousClock.now < deadline {
            var entries = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            // Sound: the array is not changed during the call.
            _ = unsafe poll(&entries, nfds_t(entries.count), 200)
            for entry in entries where entry.revents != 0 {
                var bytes = [UInt8](repeating: 0, count: 4096)
                // Sound: at most the array's size is received.
                let count = unsafe recv(entry.fd, &bytes, 4096, 0)
                if count > 0, entry.fd == program.messages { tail.append(bytes[..<count]) }
                if count > 0, entry.fd == program.stream, output.count < 65_536 { output += bytes[..<count] }
                if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { open.removeAll { $0 == entry.fd } }
            }
        }
        end = program.finish()
        self.output = String(decoding: output, as: UTF8.self)
        messages = tail.text
        guard open.isEmpty else {
            throw ChannelLoss(.timedOut, detail: "\(launch.program) took longer than \(limit.components.seconds) s")
        }
    }
}
