/// The version of the programs.
package enum ProgramVersion {
    /// As `--version` and `ClientVersion` show it.
    package static let text = "0.1.0"
}
