/// One file as PostgreSQL's `backup_manifest` names it (PostgreSQL documentation, "Backup Manifest Format").
package struct ManifestFile: Sendable, Hashable {
    /// As `PathText` writes it.
    package var path = ""
    package var byteCount = 0
    /// `CRC32C`, `SHA256` and so on; empty when the manifest has no checksums.
    package var algorithm = ""
    /// As written: hexadecimal; PostgreSQL prints a CRC-32C in the byte order of its memory.
    package var checksum = ""
}

/// Why a manifest cannot be understood.
package struct ManifestError: Error, Sendable, CustomStringConvertible {
    package let description: String
}

/// Reads a `backup_manifest` as it comes, in pieces of any length, handing out one file at a time.
///
/// It is a small JSON reader for the two shapes the format has: flat objects in the list `Files`, anything elsewhere. It holds
/// one object at a time, so that a manifest of any length takes no memory.
package struct ManifestReader {
    private enum Token {
        case text, escape, unicode, bare, none
    }

    private var token = Token.none
    private var text: [UInt8] = []
    private var unicodeDigits: [UInt8] = []
    private var depth: [UInt8] = []
    private var lastKey = ""
    private var isValue = false
    private var listName = ""
    private var file = ManifestFile()
    private(set) var isComplete = false
    /// `Manifest-Checksum`, as written; empty until it came.
    package private(set) var checksum = ""

    package init() {}

    /// Takes the next piece.
    package mutating func consume(_ bytes: UnsafeRawBufferPointer, file visit: (ManifestFile) throws -> Void) throws {
        for index in bytes.indices { try unsafe step(bytes[index], visit) }
    }

    /// Says that nothing more comes.
    package func finish() throws {
        guard isComplete else { throw ManifestError(description: "the manifest ends too early") }
    }

    private mutating func step(_ byte: UInt8, _ visit: (ManifestFile) throws -> Void) throws {
        switch token {
        case .text: return textByte(byte)
        case .escape: return escapeByte(byte)
        case .unicode: return try unicodeByte(byte)
        case .bare:
            if byte == 0x2C || byte == 0x7D || byte == 0x5D || byte <= 0x20 {
                token = .none
                value()
            } else {
                text.append(byte)
                return
            }
        case .none: break
        }
        switch byte {
        case 0x22:
            token = .text
            text.removeAll(keepingCapacity: true)
        case 0x3A: isValue = true
        case 0x2C: isValue = depth.last == 0x5B
        case 0x7B, 0x5B: try open(byte)
        case 0x7D, 0x5D: try close(byte, visit)
        case 0x00...0x20: break
        default:
            guard !isComplete else { throw ManifestError(description: "bytes follow the manifest") }
            token = .bare
            text = [byte]
        }
    }

    private mutating func open(_ byte: UInt8) throws {
        guard depth.count < 8, !isComplete else {
            throw ManifestError(description: "the manifest is nested too deeply")
        }
        depth.append(byte)
        if depth.count == 2 { listName = lastKey }
        if depth.count == 3 { file = ManifestFile() }
        isValue = byte == 0x5B
    }

    private mutating func close(_ byte: UInt8, _ visit: (ManifestFile) throws -> Void) throws {
        guard let opened = depth.popLast(), opened == (byte == 0x7D ? 0x7B : 0x5B) else {
            throw ManifestError(description: "the manifest's brackets do not match")
        }
        if depth.count == 2, byte == 0x7D, listName == "Files" { try visit(file) }
        if depth.isEmpty { isComplete = true }
        isValue = false
    }

    private mutating func textByte(_ byte: UInt8) {
        switch byte {
        case 0x5C: token = .escape
        case 0x22:
            token = .none
            if isValue { value() } else { lastKey = String(decoding: text, as: UTF8.self) }
        default: text.append(byte)
        }
    }

    private mutating func escapeByte(_ byte: UInt8) {
        token = .text
        switch byte {
        case 0x6E: text.append(0x0A)
        case 0x74: text.append(0x09)
        case 0x72: text.append(0x0D)
        case 0x62: text.append(0x08)
        case 0x66: text.append(0x0C)
        case 0x75:
            token = .unicode
            unicodeDigits.removeAll(keepingCapacity: true)
        default: text.append(byte)
        }
    }

    private mutating func unicodeByte(_ byte: UInt8) throws {
        unicodeDigits.append(byte)
        guard unicodeDigits.count == 4 else { return }
        // PostgreSQL escapes only control characters this way.
        guard let code = UInt32(String(decoding: unicodeDigits, as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(code)
        else { throw ManifestError(description: "an escape in the manifest is wrong") }
        text.append(contentsOf: String(Character(scalar)).utf8)
        token = .text
    }

    private mutating func value() {
        isValue = depth.last == 0x5B
        if depth.count == 1, lastKey == "Manifest-Checksum" { checksum = String(decoding: text, as: UTF8.self) }
        guard depth.count == 3, listName == "Files" else { return }
        switch lastKey {
        case "Path": file.path = PathText.text(text)
        // A path that is not UTF-8. No file has the empty path that stands for faulty digits.
        case "Encoded-Path": file.path = PathText.text(bytes(hexadecimal: String(decoding: text, as: UTF8.self)) ?? [])
        case "Size": file.byteCount = Int(String(decoding: text, as: UTF8.self)) ?? -1
        case "Checksum-Algorithm": file.algorithm = String(decoding: text, as: UTF8.self)
        case "Checksum": file.checksum = String(decoding: text, as: UTF8.self)
        default: break
        }
    }
}
