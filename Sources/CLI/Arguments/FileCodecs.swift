import BackupAPI

/// The codecs that file commands choose, by name or by a file's suffix.
extension CodecRegistry {
    /// The codec of a name.
    /// - Parameter name: nil, where the configuration has none, means the usual one: `zstd`, `aes-256-gcm`.
    func factory(_ kind: CodecFactory.Kind, named name: String?) throws(UsageError) -> CodecFactory {
        let usual = kind == .compression ? "zstd" : "aes"
        guard let factory = factory(named: name ?? usual), factory.kind == kind else {
            let known = factories.filter { $0.kind == kind }.map(\.name).joined(separator: ", ")
            throw UsageError("there is no \(kind.word) '\(name ?? usual)'", remedy: "Known: \(known).")
        }
        return factory
    }

    /// The codec that a file's suffix says, with that suffix. Other tools' suffixes, such as `.zst`, are understood.
    func factory(_ kind: CodecFactory.Kind, of file: String) throws(UsageError) -> (CodecFactory, suffix: String) {
        if let found = suffixed(kind, file) { return found }
        let suffixes = Set(factories.filter { $0.kind == kind }.map(\.suffix)).sorted().joined(separator: ", ")
        throw UsageError(
            "'\(file)' has no suffix of a known \(kind.word)",
            remedy: "Name a file with \(suffixes) at its end, or rename it so that its suffix says what it is.")
    }

    /// - Throws: when a file has the suffix already: it would be done twice.
    func requirePlain(_ file: String, _ kind: CodecFactory.Kind) throws(UsageError) {
        guard let (_, suffix) = suffixed(kind, file) else { return }
        let done = kind == .compression ? "compressed" : "encrypted"
        throw UsageError(
            "'\(file)' has the suffix '\(suffix)' of a file that is \(done) already",
            remedy: "Rename it if it is not, or if it shall be \(done) twice.")
    }

    private func suffixed(_ kind: CodecFactory.Kind, _ file: String) -> (CodecFactory, suffix: String)? {
        for factory in factories where factory.kind == kind {
            for suffix in [factory.suffix] + factory.aliases.map({ ".\($0)" }) where file.hasSuffix(suffix) {
                return (factory, suffix)
            }
        }
        return nil
    }
}

extension CodecFactory.Kind {
    fileprivate var word: String { self == .compression ? "compression" : "encryption" }
}
