import BackupAPI
import Synchronization

/// Why no credentials could be had.
struct CredentialFault: Error, Sendable, Hashable {
    /// What is wrong; never with a secret.
    let words: String
    /// What to do about it.
    let remedy: String

    /// Makes a fault.
    init(_ words: String, remedy: String) {
        self.words = words
        self.remedy = remedy
    }
}

/// One place where credentials may be found.
protocol CredentialSource: Sendable {
    /// Looks for credentials on the calling thread.
    /// - Returns: nil when the place has none, so that the next one is asked.
    /// - Throws: when the place has some that cannot be used.
    func load(cancel: CancelFlag) throws(CredentialFault) -> S3Credentials?
}

/// Asks the sources in their order and keeps what it found until shortly before it ends.
final class CredentialChain: Sendable {
    /// Seconds before their end when temporary credentials are renewed.
    static let renewalSeconds = 300

    private let sources: [any CredentialSource]
    private let now: @Sendable () -> Timestamp
    private let kept = Mutex<S3Credentials?>(nil)

    /// Makes a chain.
    init(_ sources: [any CredentialSource], now: @escaping @Sendable () -> Timestamp) {
        self.sources = sources
        self.now = now
    }

    /// The credentials to sign with now. While one thread renews them, others wait for it.
    func current(cancel: CancelFlag) throws(CredentialFault) -> S3Credentials {
        try kept.withLock { (kept: inout sending S3Credentials?) throws(CredentialFault) -> S3Credentials in
            let time = now().seconds
            if let credentials = kept, isFresh(credentials, at: time, margin: CredentialChain.renewalSeconds) {
                return credentials
            }
            do throws(CredentialFault) {
                let found = try load(cancel: cancel)
                kept = found
                return found
            } catch {
                // A renewal that fails while the old ones still hold is tried again with the next request.
                guard let credentials = kept, isFresh(credentials, at: time, margin: 0) else { throw error }
                return credentials
            }
        }
    }

    /// Drops credentials that the server called expired.
    /// - Returns: whether others may be had by asking again.
    func forget() -> Bool {
        kept.withLock { kept in
            guard kept?.expiry != nil else { return false }
            kept = nil
            return true
        }
    }

    private func isFresh(_ credentials: S3Credentials, at time: Int, margin: Int) -> Bool {
        guard let expiry = credentials.expiry else { return true }
        return expiry.seconds - margin > time
    }

    private func load(cancel: CancelFlag) throws(CredentialFault) -> S3Credentials {
        for source in sources {
            if let credentials = try source.load(cancel: cancel) { return credentials }
        }
        throw CredentialFault(
            "no credentials were found in the settings, the environment, the shared credentials file, or this machine's role",
            remedy: "Set 'access_key_id' and 'secret_access_key_file' for the target, or 'profile'.")
    }
}
