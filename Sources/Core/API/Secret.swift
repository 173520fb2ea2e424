/// Bytes that must not be printed: a password, a key, a token.
///
/// Nothing that describes a value shows them: `print`, string interpolation, `dump` and log metadata all give `***`.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let bytes: [UInt8]

    /// Keeps `bytes` secret.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Keeps the UTF-8 bytes of `text` secret.
    public init(_ text: String) { self.bytes = Array(text.utf8) }

    /// Hands the bytes out, for the one call that needs them.
    public func reveal() -> [UInt8] { bytes }

    /// Hands the bytes out as text; bytes that are not UTF-8 are replaced.
    public func revealText() -> String { String(decoding: bytes, as: UTF8.self) }

    /// Whether there is nothing in it.
    public var isEmpty: Bool { bytes.isEmpty }

    public var description: String { "***" }
    public var debugDescription: String { "***" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
