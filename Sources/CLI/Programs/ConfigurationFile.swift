package import BackupEngine

/// Reads the configuration file as text.
package enum ConfigurationFile {
    /// The text of the file.
    /// - Throws: a fault with the file's name; with the line where it is not UTF-8.
    package static func text(_ path: String) throws(ConfigurationError) -> String {
        let contents: SmallFile.Contents?
        do throws(CommandError) {
            contents = try SmallFile.read(path)
        } catch {
            throw fault(path, 0, error.summary, error.remedy)
        }
        guard let bytes = contents?.bytes else {
            throw fault(
                path, 0, "there is no such file", "Name it with --config, or make one with 'pgmoneta-admin init'.")
        }
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var line = 0
        for part in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            line += 1
            if String(validating: part, as: UTF8.self) == nil { break }
        }
        throw fault(path, line, "the line is not UTF-8", "Save the file as UTF-8.")
    }

    private static func fault(_ path: String, _ line: Int, _ problem: String, _ remedy: String) -> ConfigurationError {
        ConfigurationError(
            ConfigurationFault(.unreadable, at: SourcePlace(file: path, line: line), problem: problem, remedy: remedy))
    }
}
