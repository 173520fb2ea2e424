/// A program to start, with everything it is given. There is no shell between.
struct ProcessLaunch: Sendable, Hashable {
    /// Absolute path of the program.
    let program: String
    /// Its arguments, without the program itself.
    let arguments: [String]
    /// Its whole environment.
    let environment: [String: String]
}

/// How a program ended.
enum ProcessEnd: Sendable, Hashable {
    case exited(Int)
    case signalled(Int)
    /// It had to be ended, or how it ended is not known.
    case unknown
}
