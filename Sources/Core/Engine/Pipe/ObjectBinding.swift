import BackupAPI

/// What encrypted objects are bound to, so that none passes for another.
package enum ObjectBinding: Sendable, Hashable {
    /// A backup's own random id, and each object's key.
    case backup(id: String)
    /// Nothing: a file outside a repository may be renamed, and who decrypts it knows its outermost codec alone.
    case file

    /// What an object says about itself.
    /// - Parameter key: where it is stored, below a repository.
    func identity(key: ObjectKey?, chain: CodecChain, frameByteCount: Int) -> ObjectIdentity {
        switch self {
        case .backup(let id):
            ObjectIdentity(
                repository: id, key: key?.string ?? "", chain: chain.name, frameByteCount: frameByteCount)
        case .file:
            ObjectIdentity(
                repository: "file", key: "", chain: CodecChain(chain.codecs.suffix(1)).name,
                frameByteCount: frameByteCount)
        }
    }
}
