import Synchronization

/// A server that lives until it is killed, until nothing refers to it any more, or as long as the process of the tests,
/// however that ends.
///
/// A shell starts it and waits for the other end of its input to be closed, which the kernel does when this process ends.
package final class WatchedServer: Sendable {
    private static let watch = """
        folder=$1; leftovers=$2; shift 2
        exec >>"$folder/log" 2>&1
        "$@" </dev/null & server=$!
        read -r word
        kill -9 $server $(cat /proc/$server/task/$server/children)
        wait; rm -f $leftovers
        [ "$word" = stay ] || { rm -rf "$folder"; rmdir "${folder%/*}"; }
        """
    private let shell: Mutex<RunningProgram?>

    /// Makes a folder for a server. It goes when this process ends, or when the next one begins.
    package static func makeFolder() throws -> String { try ScratchArea.current.makeFolder() }

    /// Starts a server whose data lie in a folder, which is removed when the server ends otherwise than by `kill`.
    /// What the server says is in the file `log` in it.
    /// - Parameters:
    ///   - arguments: the program and its arguments.
    ///   - leftovers: paths without spaces that are removed with the server.
    package init(_ arguments: [String], folder: String, leftovers: [String] = []) throws {
        let options = ["-c", Self.watch, "watch", folder, leftovers.joined(separator: " ")]
        shell = Mutex(try Program.start("/bin/sh", options + arguments))
    }

    deinit { end(saying: "") }

    /// Ends the server and what it started, as a crash would, and waits for their end. The folder stays.
    package func kill() { end(saying: "stay\n") }

    private func end(saying word: String) {
        let running = shell.withLock { shell in
            defer { shell = nil }
            return shell
        }
        _ = try? running?.finish(input: Array(word.utf8))
    }
}
