package import BackupAPI
package import BackupEngine

/// The text of a master key file.
///
/// ```
/// pgmoneta-master-key 1
/// id: 0123456789abcdef
/// kind: random                      or: passphrase
/// key: <base64 of 32 bytes>         passphrase: <base64>, salt: <base64>, cost: 131072
/// ```
/// A passphrase becomes the key by scrypt (RFC 7914) with r = 8, p = 1 and N = `cost`.
package enum MasterKeyText {
    /// The first line.
    package static let header = "pgmoneta-master-key 1"

    /// What a file says.
    package enum Material: Sendable, Hashable {
        /// Random bytes.
        case random(Secret)
        /// Something that a person can remember.
        case passphrase(Secret, salt: [UInt8], cost: Int)
    }

    /// The key of some material.
    package static func key(
        of material: Material, _ cryptography: any Cryptography
    ) throws(CodecError) -> MasterKey {
        switch material {
        case .random(let key): MasterKey(secret: key, cryptography: cryptography)
        case .passphrase(let passphrase, let salt, let cost):
            MasterKey(
                secret: try cryptography.deriveKey(
                    fromPassphrase: passphrase, salt: salt, cost: cost, byteCount: MasterKey.byteCount),
                cryptography: cryptography)
        }
    }

    /// The key in the text of a file; nil when the text is not well formed, or the key does not fit its id.
    package static func key(in bytes: [UInt8], _ cryptography: any Cryptography) throws(CodecError) -> MasterKey? {
        guard let (material, id) = read(bytes) else { return nil }
        let key = try key(of: material, cryptography)
        return key.id == id ? key : nil
    }

    /// The text of a file.
    package static func write(_ material: Material, id: String) -> [UInt8] {
        var lines = [header, "id: \(id)"]
        switch material {
        case .random(let key): lines += ["kind: random", "key: \(Base64.encode(key.reveal()))"]
        case .passphrase(let passphrase, let salt, let cost):
            lines += [
                "kind: passphrase", "passphrase: \(Base64.encode(passphrase.reveal()))",
                "salt: \(Base64.encode(salt))", "cost: \(cost)",
            ]
        }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    /// Reads the text of a file; nil when it is not well formed.
    package static func read(_ bytes: [UInt8]) -> (material: Material, id: String)? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard lines.popFirst() == header[...], lines.popLast() == "" else { return nil }
        var fields: [Substring: Substring] = [:]
        for line in lines {
            guard let colon = line.firstRange(of: ": "), fields[line[..<colon.lowerBound]] == nil else { return nil }
            fields[line[..<colon.lowerBound]] = line[colon.upperBound...]
        }
        guard let id = fields["id"] else { return nil }
        switch fields["kind"] {
        case "random":
            guard let key = fields["key"].flatMap({ Base64.decode($0) }), key.count == MasterKey.byteCount,
                fields.count == 3
            else { return nil }
            return (.random(Secret(key)), String(id))
        case "passphrase":
            guard let passphrase = fields["passphrase"].flatMap({ Base64.decode($0) }), !passphrase.isEmpty,
                let salt = fields["salt"].flatMap({ Base64.decode($0) }), salt.count >= 16,
                let cost = fields["cost"].flatMap({ Int($0) }), fields.count == 5,
                // More would take gigabytes; less would be no work for a guesser.
                (1 << 14...1 << 22).contains(cost), cost & (cost - 1) == 0
            else { return nil }
            return (.passphrase(Secret(passphrase), salt: salt, cost: cost), String(id))
        default: return nil
        }
    }
}
