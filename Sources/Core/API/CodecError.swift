/// Why bytes could not be encoded or decoded.
public struct CodecError: Remediable, Hashable {
    /// The kinds of fault.
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        /// The stored bytes end too early.
        case truncated
        /// The stored bytes are not what was written.
        case damaged
        /// The authentication tag does not fit: altered, swapped, reordered, or another key.
        case notAuthentic = "not-authentic"
        /// The frame holds more than it may.
        case tooLarge = "too-large"
        /// The bytes are not of this format at all.
        case notThisFormat = "not-this-format"
        /// The format's version is newer than this program.
        case unknownVersion = "unknown-version"
        /// The key that the header names is not at hand.
        case keyMissing = "key-missing"
        /// The codec's settings are wrong, such as a level out of range.
        case misconfigured
        /// The library reported a fault of its own, such as no memory.
        case failed
    }

    /// The kind of fault.
    public let reason: Reason
    /// The codec's recorded name.
    public let codec: String
    /// Native words or numbers; never a secret.
    public let detail: String?

    /// Makes an error.
    public init(_ reason: Reason, codec: String, detail: String? = nil) {
        self.reason = reason
        self.codec = codec
        self.detail = detail
    }

    public var code: String { "codec-\(reason.rawValue)" }

    public var retry: RetryAdvice { .never }

    public var summary: String {
        let native = detail.map { " (\($0))" } ?? ""
        let cause =
            switch reason {
            case .truncated: "\(codec) data ends too early"
            case .damaged: "\(codec) data is damaged"
            case .notAuthentic: "\(codec) data is not authentic: it was altered or swapped, or the key is another one"
            case .tooLarge: "\(codec) data holds more than it may"
            case .notThisFormat: "this is not \(codec) data"
            case .unknownVersion: "this \(codec) data was written by a newer version"
            case .keyMissing: "the key for this \(codec) data is not here"
            case .misconfigured: "the settings for \(codec) are wrong"
            case .failed: "\(codec) failed"
            }
        return cause + native
    }

    public var remedy: String {
        switch reason {
        case .truncated, .damaged, .tooLarge: "Use another copy of the data; run 'verify' to see what else is damaged."
        case .notAuthentic:
            "Check that the master key is the one the data was encrypted with; if it is, use another copy."
        case .notThisFormat: "Check the file's suffix; it names the codecs that made the file, last one first."
        case .unknownVersion: "Use the version of pgmoneta that wrote it, or a newer one."
        case .keyMissing: "Bring the master key that the data was encrypted with to this machine."
        case .misconfigured: "Correct 'compression', 'compression_level' or 'encryption' in the configuration."
        case .failed: "Check that the machine has memory left; then run the command again."
        }
    }
}
