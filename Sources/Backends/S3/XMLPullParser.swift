/// What a document holds next.
enum XMLEvent: Sendable, Hashable {
    /// An element begins; its name is without a namespace prefix, and attributes are not kept.
    case start(String)
    /// An element ends.
    case end(String)
    /// Text between tags, entities resolved; white space is kept.
    case text(String)
}

/// Why a document was refused.
struct XMLFault: Error, Sendable, Hashable {
    /// What is wrong.
    let words: String
    /// Bytes before the fault.
    let offset: Int
}

/// Reads the small part of XML 1.0 that S3 answers in: elements, text, predefined and numeric entities, CDATA.
///
/// It is safe for what any server sends: no document type, no own entities, at most 32 levels, and it never looks
/// behind the bytes it was given.
struct XMLPullParser {
    private let bytes: [UInt8]
    private var index = 0
    private var open: [String] = []
    private var hasRoot = false
    private var closing: String?

    /// Begins with a whole document.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Gives the next event; nil at the end of a whole document.
    mutating func next() throws(XMLFault) -> XMLEvent? {
        if let name = closing {
            closing = nil
            return .end(name)
        }
        while index < bytes.count {
            if bytes[index] != UInt8(ascii: "<") {
                let text = try takeText()
                if open.isEmpty {
                    guard text.allSatisfy({ $0.isWhitespace || $0 == "\u{FEFF}" }) else {
                        throw fault("text outside of the root element")
                    }
                    continue
                }
                return .text(text)
            }
            if skip("<?") {
                try skipPast("?>")
            } else if skip("<!--") {
                try skipPast("-->")
            } else if skip("<![CDATA[") {
                guard !open.isEmpty else { throw fault("text outside of the root element") }
                let start = index
                try skipPast("]]>")
                return .text(try text(bytes[start..<index - 3]))
            } else if skip("<!") {
                throw fault("a document type is not allowed")
            } else if skip("</") {
                return try takeEndTag()
            } else {
                index += 1
                return try takeStartTag()
            }
        }
        guard open.isEmpty, hasRoot else { throw fault("the document ends too early") }
        return nil
    }

    private mutating func takeStartTag() throws(XMLFault) -> XMLEvent {
        let name = try takeName()
        guard !open.isEmpty || !hasRoot else { throw fault("a second root element") }
        guard open.count < 32 else { throw fault("too many levels") }
        hasRoot = true
        // Attributes are passed over; a '>' inside quotes does not end the tag.
        var quote: UInt8?
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if let mark = quote {
                if byte == mark { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                if bytes[index - 2] == UInt8(ascii: "/") { closing = name } else { open.append(name) }
                return .start(name)
            } else if byte == UInt8(ascii: "<") {
                throw fault("a tag inside of a tag")
            }
        }
        throw fault("the document ends too early")
    }

    private mutating func takeEndTag() throws(XMLFault) -> XMLEvent {
        let name = try takeName()
        while index < bytes.count, isSpace(bytes[index]) { index += 1 }
        guard index < bytes.count, bytes[index] == UInt8(ascii: ">") else { throw fault("an end tag is not closed") }
        index += 1
        guard open.popLast() == name else { throw fault("an end tag without its start tag") }
        return .end(name)
    }

    private mutating func takeName() throws(XMLFault) -> String {
        let start = index
        while index < bytes.count, !isSpace(bytes[index]), !"/><\"'=".utf8.contains(bytes[index]) { index += 1 }
        let name = try text(bytes[start..<index])
        guard !name.isEmpty, index < bytes.count else { throw fault("a tag without a name") }
        return name.split(separator: ":").last.map(String.init) ?? name
    }

    private mutating func takeText() throws(XMLFault) -> String {
        var result: [UInt8] = []
        while index < bytes.count, bytes[index] != UInt8(ascii: "<") {
            if bytes[index] == UInt8(ascii: "&") {
                result.append(contentsOf: String(try takeEntity()).utf8)
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return try text(result[...])
    }

    private mutating func takeEntity() throws(XMLFault) -> Unicode.Scalar {
        guard let end = bytes[index...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
            throw fault("an entity is not closed")
        }
        let name = try text(bytes[index + 1..<end])
        guard let scalar = XMLPullParser.scalar(ofEntity: name) else { throw fault("an unknown entity") }
        index = end + 1
        return scalar
    }

    private static func scalar(ofEntity name: String) -> Unicode.Scalar? {
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard name.hasPrefix("#") else { return nil }
            let isHexadecimal = name.hasPrefix("#x")
            return UInt32(name.dropFirst(isHexadecimal ? 2 : 1), radix: isHexadecimal ? 16 : 10)
                .flatMap(Unicode.Scalar.init)
        }
    }

    private mutating func skip(_ token: String) -> Bool {
        guard bytes[index...].starts(with: token.utf8) else { return false }
        index += token.utf8.count
        return true
    }

    private mutating func skipPast(_ token: String) throws(XMLFault) {
        while index < bytes.count {
            if skip(token) { return }
            index += 1
        }
        throw fault("the document ends too early")
    }

    private func text(_ bytes: ArraySlice<UInt8>) throws(XMLFault) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw fault("the text is not UTF-8") }
        return text
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private func fault(_ words: String) -> XMLFault { XMLFault(words: words, offset: index) }
}
