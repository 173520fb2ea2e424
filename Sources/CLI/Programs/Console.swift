import Glibc

/// Where a program writes: results to the output, everything else to the errors.
package struct Console: Sendable {
    /// Writes results.
    package var output: @Sendable (String) -> Void
    /// Writes errors, warnings, logs and progress.
    package var errors: @Sendable (String) -> Void
    /// Whether a person watches the errors.
    package var isErrorTerminal: Bool

    /// Makes a console.
    package init(
        output: @escaping @Sendable (String) -> Void, errors: @escaping @Sendable (String) -> Void,
        isErrorTerminal: Bool
    ) {
        self.output = output
        self.errors = errors
        self.isErrorTerminal = isErrorTerminal
    }

    /// The process's standard output and standard error.
    package static var standard: Console {
        Console(
            output: { write($0, to: STDOUT_FILENO) }, errors: { write($0, to: STDERR_FILENO) },
            isErrorTerminal: isatty(STDERR_FILENO) == 1)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            // The bytes outlive the call, which reads at most as many as are left.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress.map { unsafe $0 + offset }, $0.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            // Nobody reads any more: there is nobody to tell.
            guard count > 0 else { return }
            offset += count
        }
    }
}
