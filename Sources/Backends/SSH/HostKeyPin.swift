internal import BackupAPI
import Glibc

/// A host key that matches the fingerprint in the settings, ready for ssh.
struct PinnedHostKey: Sendable, Hashable {
    /// A file that holds this key for every host name, and no other key.
    let knownHostsFile: String
    /// The algorithms that use a key of this kind, so that the server shows this key.
    let algorithms: String
}

/// Finds the host key that has a given fingerprint.
///
/// ssh connects without logging in and writes the key it is shown to a private file; so aliases, ProxyJump and ProxyCommand
/// of the user's ssh_config work, which `ssh-keyscan` does not know. Only a key with the right fingerprint is kept, and the
/// session itself then accepts no other (`StrictHostKeyChecking=yes`): what happens between is of no use to an attacker.
enum HostKeyPin {
    /// Kinds of keys in the order they are asked for.
    static let algorithms = [
        "ssh-ed25519", "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521", "rsa-sha2-512,rsa-sha2-256",
    ]

    /// The form that ssh-keygen prints: `SHA256:` and 43 characters of base64; nil when `text` is none.
    static func normalized(_ text: String) -> String? {
        guard text.hasPrefix("SHA256:") else { return nil }
        var code = text.dropFirst(7)
        if code.hasSuffix("=") { code.removeLast() }
        let isCode = code.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2B
                || $0 == 0x2F
        }
        return code.utf8.count == 43 && isCode ? "SHA256:" + code : nil
    }

    /// Finds the key.
    /// - Throws: `.notAuthenticated` when the host shows other keys only; else why the host could not be asked.
    static func find(
        _ fingerprint: String, command: SSHCommand, folder: PrivateFolder,
        explain: (ProcessEnd, String) -> ChannelLoss
    ) throws(ChannelLoss) -> PinnedHostKey {
        var shown: [String] = []
        var lastLoss: ChannelLoss?
        let limit = command.configuration.timeLimits.beginning
        for (number, algorithms) in algorithms.enumerated() {
            let file = folder.path(of: "shown-\(number)")
            let probe = try ProgramRun(command.keyProbe(algorithms: algorithms, into: file), limit: limit)
            guard let known = try? PrivateFolder.text(of: file), !known.isEmpty else {
                let loss = explain(probe.end, probe.messages)
                // The host may lack keys of this kind only; any other fault is the same for the next kind.
                guard probe.messages.contains("no matching host key type") else { throw loss }
                lastLoss = loss
                continue
            }
            let keys = known.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count >= 3 }
            let printed = try ProgramRun(command.fingerprints(of: file), limit: limit).output
            let prints = printed.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst().first }
            shown += prints.map(String.init)
            for (key, print) in zip(keys, prints) where print == fingerprint {
                let accepted = folder.path(of: "accepted")
                try PrivateFolder.write("* \(key[1]) \(key[2])\n", to: accepted)
                return PinnedHostKey(knownHostsFile: accepted, algorithms: algorithms)
            }
        }
        guard !shown.isEmpty else { throw lastLoss ?? ChannelLoss(.unavailable, detail: "the host shows no key") }
        throw ChannelLoss(
            .notAuthenticated,
            detail: "the host shows \(shown.joined(separator: ", ")), host_key_fingerprint is \(fingerprint)",
            remedy: "Ask who runs the server whether its key was changed; only then change host_key_fingerprint.")
    }
}
