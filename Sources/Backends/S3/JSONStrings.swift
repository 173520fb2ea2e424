/// Reads the string members of one flat JSON object (RFC 8259), which is all that credential services answer with.
enum JSONStrings {
    /// Members by name; others than strings are left out.
    /// - Returns: nil when the text is not such an object.
    static func parse(_ bytes: [UInt8]) -> [String: String]? {
        var rest = bytes[...]
        var members: [String: String] = [:]
        guard take(UInt8(ascii: "{"), &rest) else { return nil }
        if take(UInt8(ascii: "}"), &rest) { return members }
        repeat {
            guard let name = string(&rest), take(UInt8(ascii: ":"), &rest) else { return nil }
            if peek(&rest) == UInt8(ascii: "\"") {
                guard let value = string(&rest) else { return nil }
                members[name] = value
            } else {
                // A number or a word ends before the next comma or brace; arrays and objects are refused.
                let word = rest.prefix { !",}[{\"".utf8.contains($0) }
                guard !word.isEmpty else { return nil }
                rest = rest.dropFirst(word.count)
            }
        } while take(UInt8(ascii: ","), &rest)
        return take(UInt8(ascii: "}"), &rest) ? members : nil
    }

    private static func peek(_ rest: inout ArraySlice<UInt8>) -> UInt8? {
        while let byte = rest.first, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            rest = rest.dropFirst()
        }
        return rest.first
    }

    private static func take(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>) -> Bool {
        guard peek(&rest) == byte else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func string(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard take(UInt8(ascii: "\""), &rest) else { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return String(validating: bytes, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escaped = escape(&rest) else { return nil }
            bytes.append(contentsOf: String(escaped).utf8)
        }
        return nil
    }

    private static func escape(_ rest: inout ArraySlice<UInt8>) -> Unicode.Scalar? {
        switch rest.popFirst() {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "u"):
            let digits = rest.prefix(4)
            rest = rest.dropFirst(4)
            return UInt32(String(decoding: digits, as: UTF8.self), radix: 16).flatMap(Unicode.Scalar.init)
        case .some(let byte) where "\"\\/".utf8.contains(byte): return Unicode.Scalar(byte)
        default: return nil
        }
    }
}
