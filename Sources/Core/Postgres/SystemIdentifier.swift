/// Tells clusters apart: the number that `initdb` gave this one, the same on all its standbys.
package struct SystemIdentifier: Sendable, Hashable, LosslessStringConvertible, Codable {
    /// The number.
    package let number: UInt64

    /// Makes an identifier.
    package init(_ number: UInt64) { self.number = number }

    /// Reads a decimal number; nil when it is not one.
    package init?(_ text: String) {
        guard let number = UInt64(text) else { return nil }
        self.number = number
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let identifier = try SystemIdentifier(container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a system identifier")
        }
        self = identifier
    }

    /// Writes decimal text, because many JSON readers cannot keep 64 bits in a number.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    package var description: String { String(number) }
}
