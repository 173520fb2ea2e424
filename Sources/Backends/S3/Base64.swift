/// Base64 with padding (RFC 4648, section 4), as the `x-amz-checksum-…` headers carry digests.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Writes four characters for each three bytes.
    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let run = bytes[index..<min(index + 3, bytes.count)]
            var word: UInt32 = 0
            for byte in run { word = word << 8 | UInt32(byte) }
            word <<= UInt32(8 * (3 - run.count))
            for place in 0..<4 {
                let digit = alphabet[Int(word >> UInt32(18 - 6 * place)) & 63]
                text.append(place <= run.count ? digit : UInt8(ascii: "="))
            }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }
}
