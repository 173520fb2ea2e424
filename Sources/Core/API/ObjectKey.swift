/// Names one object in a storage place: components joined by `/`, relative to the root of the target.
///
/// A key is checked once, here, so that no backend has to defend itself against `..`, absolute paths or empty names.
public struct ObjectKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Longest key in bytes of UTF-8: the limit of S3 (Amazon S3 User Guide, "Creating object key names").
    public static let maximumByteCount = 1024
    /// Longest component in bytes of UTF-8: `NAME_MAX` on Linux file systems, less room for a temporary's suffix.
    public static let maximumComponentByteCount = 200
    /// Components that begin like this are reserved for a backend's temporaries and are never listed.
    public static let temporaryPrefix = ".pgmoneta-tmp-"

    /// The whole key, as it is stored.
    public let string: String

    /// Checks `string` and makes a key of it.
    ///
    /// - Throws: `StorageError` with reason `.invalidKey` for an empty key or component, `.`, `..`, a control character,
    ///   a reserved temporary name, or a name that is too long.
    public init(_ string: String) throws(StorageError) {
        if let fault = ObjectKey.fault(of: string) {
            throw StorageError(.invalidKey, operation: .name, key: string, target: "", detail: fault)
        }
        self.string = string
    }

    /// The last component.
    public var name: String {
        let utf8 = string.utf8
        guard let slash = utf8.lastIndex(of: ObjectKey.slash) else { return string }
        return String(string[utf8.index(after: slash)...])
    }

    /// The components in order.
    public var components: [Substring] { ObjectKey.components(of: string) }

    public var description: String { string }

    /// Compares bytes of UTF-8: unlike `String`, a key keeps composed and decomposed letters apart, as storage places do.
    public static func == (left: ObjectKey, right: ObjectKey) -> Bool {
        left.string.utf8.elementsEqual(right.string.utf8)
    }

    /// Hashes the bytes of UTF-8.
    public func hash(into hasher: inout Hasher) {
        var copy = string
        copy.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Orders keys by their bytes of UTF-8, as S3 lists them.
    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        ObjectKey.precedes(left.string, right.string)
    }

    /// Whether `left` sorts before `right` by bytes of UTF-8.
    public static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    private static let slash = UInt8(ascii: "/")

    /// Cuts at the byte `/`. `String` would not cut where a combining mark follows it, and `../` + U+0301 would slip through.
    private static func components(of string: String) -> [Substring] {
        string.utf8.split(separator: slash, omittingEmptySubsequences: false).map(Substring.init)
    }

    private static func fault(of string: String) -> String? {
        if string.isEmpty { return "the name is empty" }
        if string.utf8.count > maximumByteCount { return "the name is longer than \(maximumByteCount) bytes" }
        for component in components(of: string).map(\.utf8) {
            if component.isEmpty { return "the name has an empty component" }
            if component.elementsEqual(".".utf8) || component.elementsEqual("..".utf8) {
                return "the name has a '\(Substring(component))' component"
            }
            if component.count > maximumComponentByteCount {
                return "a component is longer than \(maximumComponentByteCount) bytes"
            }
            if component.starts(with: temporaryPrefix.utf8) { return "'\(temporaryPrefix)…' is reserved" }
            if component.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "the name has a control character" }
        }
        return nil
    }
}
