/// A message of the archive stream of version 15 and later, told apart by its first byte.
enum BaseBackupMessage: Equatable {
    /// `n`: an archive begins.
    case archive(BaseBackupArchive)
    /// `m`: the manifest begins.
    case manifest
    /// `d`: the bytes behind the first are data.
    case data
    /// `p`: so many bytes were done.
    case progress

    /// Reads a message; nil for one that the protocol does not have.
    init?(_ message: UnsafeRawBufferPointer) {
        guard let type = unsafe message.first else { return nil }
        switch type {
        case UInt8(ascii: "d"): self = .data
        case UInt8(ascii: "p"): self = .progress
        case UInt8(ascii: "m"): self = .manifest
        case UInt8(ascii: "n"):
            let parts = unsafe message.dropFirst().split(separator: 0, omittingEmptySubsequences: false).map {
                unsafe Array($0)
            }
            guard parts.count >= 2 else { return nil }
            let file = String(decoding: parts[0], as: UTF8.self)
            let location = String(decoding: parts[1], as: UTF8.self)
            // The file is `base.tar` or `16384.tar`, with a further suffix when the server compresses.
            guard let name = file.split(separator: ".").first.map(String.init) else { return nil }
            self = .archive(BaseBackupArchive(name: name, location: location.isEmpty ? nil : location))
        default: return nil
        }
    }
}
