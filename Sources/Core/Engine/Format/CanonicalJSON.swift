import FoundationEssentials

/// Our JSON texts: keys sorted, two-space indent, a line feed at the end, so that equal values are equal bytes.
package enum CanonicalJSON {
    /// The text of a value.
    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return Array(try encoder.encode(value)) + [0x0A]
    }

    /// The value of a text.
    /// - Throws: `DecodingError`, also for a number of more than 16 digits or with an exponent: whoever wrote the text, what is computed with
    ///   its numbers stays in range.
    package static func decode<Value: Decodable>(_: Value.Type, from bytes: [UInt8]) throws -> Value {
        guard hasSmallNumbers(bytes) else {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "a number is out of range"))
        }
        return try JSONDecoder().decode(Value.self, from: Data(bytes))
    }

    private static func hasSmallNumbers(_ bytes: [UInt8]) -> Bool {
        var isInString = false
        var isEscaped = false
        var digitCount = 0
        for byte in bytes {
            // The decoder would read UTF-16, too.
            if byte == 0 { return false }
            if isInString {
                if byte == UInt8(ascii: "\""), !isEscaped { isInString = false }
                isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
                continue
            }
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digitCount += 1
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                // Else it is in a word.
                if digitCount > 0 { return false }
            case UInt8(ascii: "\""):
                isInString = true
                digitCount = 0
            default: digitCount = 0
            }
            if digitCount > 16 { return false }
        }
        return true
    }
}
