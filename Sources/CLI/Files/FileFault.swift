import Glibc

extension CommandError {
    /// A system call on a file failed.
    /// - Parameters:
    ///   - verb: what was being done, as in "cannot write".
    ///   - number: the `errno` of the call.
    package static func file(_ verb: String, _ path: String, errno number: Int32) -> CommandError {
        let remedy =
            switch number {
            case ENOENT: "Check the path; each of its directories must be there."
            case EACCES, EPERM: "Give this user permission for '\(path)', or run as another user."
            case ENOSPC, EDQUOT: "Free space there, then run the command again."
            case EROFS: "Choose a place that can be written."
            case EEXIST: "Remove or rename it, or choose another path."
            default: "Check the path and the file system."
            }
        return CommandError(.fileFailed, "cannot \(verb) '\(path)' (\(words(number)))", remedy: remedy)
    }

    /// The system's words for an `errno`.
    private static func words(_ number: Int32) -> String {
        // strerror gives a string that stays valid until its next call; it is copied at once.
        guard let text = unsafe strerror(number) else { return "errno \(number)" }
        return unsafe String(cString: text)
    }
}
