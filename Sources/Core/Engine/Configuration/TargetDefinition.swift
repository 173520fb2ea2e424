package import BackupAPI

/// A place that keeps backups, as the configuration names it.
package struct TargetDefinition: Sendable {
    /// `local`, `s3`, `ssh`, the NAME of `[target:NAME]`, or the URL of an option.
    package let name: String
    /// What its backend is opened with.
    package let settings: TargetSettings
    /// The line that defined it; 0 when an option did.
    package let line: Int

    /// Makes a definition.
    package init(name: String, settings: TargetSettings, line: Int = 0) {
        self.name = name
        self.settings = settings
        self.line = line
    }

    /// Where it is.
    package var location: TargetLocation { settings.location }
}
