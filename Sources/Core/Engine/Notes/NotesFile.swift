import BackupAPI

/// Turns notes into the bytes of an object and back, with their authentication code.
struct NotesFile: Sendable {
    /// Most bytes of one revision.
    static let byteLimit = 32 << 20
    private static let info = "pgmoneta-notes-1"
    private let keys: KeyRing
    private let cryptography: any Cryptography
    private let isEncrypted: Bool

    /// - Parameter isEncrypted: whether the repository takes encrypted backups only; notes without a code are then refused.
    init(keys: KeyRing, cryptography: any Cryptography, isEncrypted: Bool) {
        self.keys = keys
        self.cryptography = cryptography
        self.isEncrypted = isEncrypted
    }

    /// The bytes to store.
    /// - Parameter name: the object's key; the code is bound to it.
    /// - Throws: `.masterKeyMissing` in an encrypted repository without a key; `.commentTooLong`.
    func encode(_ notes: BackupNotes, name: String) throws -> [UInt8] {
        var notes = notes
        (notes.key, notes.authentication) = (nil, "")
        if isEncrypted {
            guard let id = keys.currentID, let key = keys.key(id) else {
                guard keys.isEmpty else {
                    throw EngineError(
                        .masterKeyMissing, "'\(name)' cannot be authenticated: all keys at hand are retired",
                        remedy: "Take a backup there, or run 'pgmoneta-admin key rotate'.")
                }
                throw EngineError(.masterKeyMissing, "'\(name)' cannot be authenticated")
            }
            (notes.key, notes.authentication) = (id, TextSeal.zeros)
            notes.authentication = try seal(key, name).code(of: CanonicalJSON.encode(notes))
        }
        let bytes = try CanonicalJSON.encode(notes)
        guard bytes.count <= Self.byteLimit else {
            throw EngineError(.commentTooLong, "the comments of \(notes.label) have more than \(Self.byteLimit) bytes")
        }
        return bytes
    }

    /// Reads stored bytes.
    /// - Parameter requiresKey: whether notes that cannot be proven are refused; a listing shows them all the same.
    /// - Throws: `.notesDamaged`, `.unsupportedFormat`; `.masterKeyMissing`.
    func decode(_ bytes: [UInt8], name: String, requiresKey: Bool) throws -> BackupNotes {
        guard let notes = try? CanonicalJSON.decode(BackupNotes.self, from: bytes) else {
            throw EngineError(.notesDamaged, "'\(name)' is not a revision of notes")
        }
        guard notes.format == Layout.formatVersion else {
            throw EngineError(.unsupportedFormat, "'\(name)' has format \(notes.format)")
        }
        guard isEncrypted else { return notes }
        guard let id = notes.key else {
            throw EngineError(.notesDamaged, "'\(name)' is not authenticated where all notes are")
        }
        guard let key = keys.key(id) else {
            guard !requiresKey, keys.isEmpty else {
                throw EngineError(.masterKeyMissing, "'\(name)' is authenticated with key \(id)")
            }
            return notes
        }
        guard try seal(key, name).fits(bytes, code: notes.authentication) else {
            throw EngineError(.notesDamaged, "'\(name)' is not authentic: it was altered or replaced")
        }
        return notes
    }

    /// The id of the key that some stored bytes say they are authenticated with.
    static func keyID(_ bytes: [UInt8]) -> String? {
        (try? CanonicalJSON.decode(BackupNotes.self, from: bytes))?.key
    }

    private func seal(_ key: Secret, _ name: String) throws(CodecError) -> TextSeal {
        try TextSeal(key, salt: name, info: Self.info, cryptography: cryptography)
    }
}
