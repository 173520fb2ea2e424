import Glibc

/// A system call that went wrong.
struct SystemFault: Error, Hashable {
    /// The value of `errno`.
    let code: Int32
    /// Whether the call was about the root of the target and not about something below it.
    var concernsRoot = false

    /// Makes a fault from a value of `errno`.
    init(_ code: Int32, concernsRoot: Bool = false) {
        self.code = code
        self.concernsRoot = concernsRoot
    }

    /// Takes the fault that the last call left in `errno`.
    static var last: SystemFault { SystemFault(errno) }

    /// Whether it says that there is no such file, or that its folder is none.
    var isMissing: Bool { !concernsRoot && (code == ENOENT || code == ENOTDIR) }

    /// The same fault, about the root of the target.
    var ofRoot: SystemFault { SystemFault(code, concernsRoot: true) }
}

/// Calls again while a signal interrupts, and throws what else goes wrong.
/// - Parameter call: gives a negative number after a fault, which is then in `errno`.
@discardableResult
func uninterrupted<Number: SignedInteger>(_ call: () -> Number) throws(SystemFault) -> Number {
    while true {
        let result = call()
        if result >= 0 { return result }
        if errno != EINTR { throw .last }
    }
}
