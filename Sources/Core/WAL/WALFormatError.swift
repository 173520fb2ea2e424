/// Why bytes are not a segment of PostgreSQL's write-ahead log.
package struct WALFormatError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// Makes an error of these words.
    package init(_ description: String) { self.description = description }
}
