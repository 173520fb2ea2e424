/// Recognises an object as the one that this very upload made.
///
/// When the answer to a create-only request is lost, the next try finds the object there. The mark, a random number in
/// the object's metadata, tells whether it is our own.
struct WriteMark: Sendable, Hashable {
    /// The metadata's name.
    static let headerName = "x-amz-meta-pgmoneta-write"
    /// 16 hexadecimal digits.
    let text: String

    /// Makes a new mark.
    init() {
        let number = UInt64.random(in: 0...UInt64.max)
        text = Hexadecimal.encode((0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) })
    }

    /// The header that stores it.
    var header: (name: String, value: String) { (name: WriteMark.headerName, value: text) }
}
