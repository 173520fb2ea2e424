import Glibc

/// The PostgreSQL servers that `scripts/setup` brings.
package enum PostgresVersions {
    /// The major versions that are supported, oldest first.
    package static let supported = [14, 15, 16, 17, 18]

    /// The major versions of the servers at hand: always all that are supported.
    /// - Throws: when one is missing, with the command that fetches it; tests never skip a version.
    package static var installed: [Int] {
        get throws {
            for major in supported { _ = try folder(of: major) }
            return supported
        }
    }

    /// The folder with `bin`, `lib` and `share` of a server.
    package static func folder(of major: Int) throws -> String {
        let folder = "\(tools)/postgresql/\(major)"
        guard unsafe access("\(folder)/bin/postgres", X_OK) == 0 else {
            throw ProgramError(
                description: "PostgreSQL \(major) is not in .tools/postgresql; type: scripts/setup postgresql \(major)")
        }
        return folder
    }

    /// The folder `.tools` of this repository.
    package static var tools: String {
        #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/.tools"
    }
}
