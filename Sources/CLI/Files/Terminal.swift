package import BackupAPI
import Glibc

/// The terminal that a person sits at.
package enum Terminal {
    /// Asks for a line without showing what is typed.
    /// - Throws: `.passwordUnavailable` when there is no terminal; `.interrupted` on ^C.
    package static func readHidden(prompt: String) throws(CommandError) -> Secret {
        let descriptor = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else {
            throw CommandError(
                .passwordUnavailable, "there is no terminal to ask for the password",
                remedy: "Use --password-file, or set PGMONETA_PASSWORD.")
        }
        defer { close(descriptor) }
        var former = termios()
        guard unsafe tcgetattr(descriptor, &former) == 0 else { throw .file("use", "/dev/tty", errno: errno) }
        var hidden = former
        // Without ISIG, ^C arrives as a byte: the terminal is always put back before the program ends.
        hidden.c_lflag &= ~tcflag_t(ECHO | ISIG)
        guard unsafe tcsetattr(descriptor, TCSAFLUSH, &hidden) == 0 else {
            throw .file("use", "/dev/tty", errno: errno)
        }
        defer { unsafe tcsetattr(descriptor, TCSAFLUSH, &former) }
        write(prompt, to: descriptor)
        defer { write("\n", to: descriptor) }
        return try readLine(from: descriptor)
    }

    private static func readLine(from descriptor: Int32) throws(CommandError) -> Secret {
        var line: [UInt8] = []
        while true {
            var byte: UInt8 = 0
            // One byte is read into a local variable that outlives the call.
            let count = unsafe read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file("use", "/dev/tty", errno: errno) }
            guard count > 0, byte != 0x0A, byte != 0x0D else { return Secret(line) }
            guard byte != 0x03 else { throw .interrupted }
            line.append(byte)
        }
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        // A prompt that cannot be shown is not an error.
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
