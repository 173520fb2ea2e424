/// A password. Nothing that prints it shows it.
package struct PostgresPassword: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let text: String

    /// Keeps `text` secret.
    package init(_ text: String) { self.text = text }

    /// Hands the password out, for the one call that needs it.
    func reveal() -> String { text }

    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
