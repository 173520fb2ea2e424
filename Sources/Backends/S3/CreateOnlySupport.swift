import BackupAPI
import Synchronization

/// Finds out once whether the server itself decides create-only writes (`If-None-Match: *`).
///
/// Amazon documents it. Of any other server it is believed only after a probe: an object under a reserved name is
/// written twice, and the second time must be refused.
final class CreateOnlySupport: Sendable {
    private enum State {
        case unknown
        case kept
        case missing(String)
    }

    private let client: S3Client
    private let state: Mutex<State>

    /// Makes it; nothing is sent before the first create-only write.
    init(client: S3Client) {
        self.client = client
        state = Mutex(client.configuration.endpoint.isAmazon ? .kept : .unknown)
    }

    /// Whether the server is known to decide.
    var isKnown: Bool {
        state.withLock { state in
            if case .kept = state { return true }
            return false
        }
    }

    /// What to tell an operator; nil when all is well.
    var remark: String? {
        state.withLock { state in
            switch state {
            case .kept: nil
            case .unknown: "whether the server decides create-only writes is found out with the first of them"
            case .missing(let why):
                "the server does not decide create-only writes (\(why)); let only one machine write to this target at a time"
            }
        }
    }

    /// Finds out, on the calling thread, with three requests; others wait meanwhile.
    func resolve(cancel: CancelFlag) throws(S3Fault) -> Bool {
        try state.withLock { (state: inout sending State) throws(S3Fault) -> Bool in
            switch state {
            case .kept: return true
            case .missing: return false
            case .unknown: break
            }
            if let why = try probe(cancel: cancel) {
                state = .missing(why)
                return false
            }
            state = .kept
            return true
        }
    }

    /// - Returns: nil when the server decides, else why not.
    private func probe(cancel: CancelFlag) throws(S3Fault) -> String? {
        let root = client.configuration.rootPrefix
        let key = "\(root)\(ObjectKey.temporaryPrefix)probe-\(WriteMark().text)"
        let writing = ObjectWriting(client: client, key: key, isCreateOnly: true)
        let deletion = S3Deletion(client: client)
        do throws(S3Fault) {
            try writing.putWhole(MemoryBlock(Array("probe".utf8)), cancel: cancel)
        } catch {
            guard let status = error.status, [400, 405, 501].contains(status) else { throw error }
            return "it refuses them with HTTP \(status)"
        }
        // A second writer, with a mark of its own.
        let second = ObjectWriting(client: client, key: key, isCreateOnly: true)
        var why: String?
        do throws(S3Fault) {
            try second.putWhole(MemoryBlock(Array("probe".utf8)), cancel: cancel)
            why = "it accepts them for an object that is there"
        } catch {
            guard error == .exists else {
                _ = try? deletion.delete([key], cancel: CancelFlag())
                throw error
            }
        }
        _ = try? deletion.delete([key], cancel: CancelFlag())
        return why
    }
}
