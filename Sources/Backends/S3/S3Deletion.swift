import BackupAPI
import Synchronization

/// Deletes objects, a thousand with one request where the server can.
final class S3Deletion: Sendable {
    /// A key in the bucket that could not be deleted, and why.
    struct Failure: Sendable, Hashable {
        var key: String
        var fault: S3Fault
    }

    private let client: S3Client
    private let isBatchRefused = Atomic<Bool>(false)

    /// Makes a deletion.
    init(client: S3Client) { self.client = client }

    /// Deletes objects by their keys in the bucket; it blocks the calling thread.
    /// - Returns: those that could not be deleted.
    func delete(_ keys: [String], cancel: CancelFlag) throws(S3Fault) -> [Failure] {
        var failed: [Failure] = []
        var rest = keys[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(1000))
            rest = rest.dropFirst(1000)
            failed += try delete(batch: batch, cancel: cancel)
        }
        return failed
    }

    private func delete(batch: [String], cancel: CancelFlag) throws(S3Fault) -> [Failure] {
        if batch.count > 1, !isBatchRefused.load(ordering: .relaxed) {
            do throws(S3Fault) {
                return try deleteTogether(batch, cancel: cancel)
            } catch {
                guard isRefusal(error) else { throw error }
                isBatchRefused.store(true, ordering: .relaxed)
            }
        }
        var failed: [Failure] = []
        for key in batch {
            do throws(S3Fault) {
                try deleteOne(key, cancel: cancel)
            } catch {
                // What concerns all keys ends the call.
                if error.status == nil { throw error }
                failed.append(Failure(key: key, fault: error))
            }
        }
        return failed
    }

    private func deleteOne(_ key: String, cancel: CancelFlag) throws(S3Fault) {
        do throws(S3Fault) {
            _ = try client.send(S3Request(operation: "DeleteObject", method: "DELETE", key: key), cancel: cancel)
        } catch {
            guard case .answer(let answer) = error, answer.status == 404, answer.code != "NoSuchBucket" else {
                throw error
            }
        }
    }

    private func deleteTogether(_ keys: [String], cancel: CancelFlag) throws(S3Fault) -> [Failure] {
        var text = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>"
        for key in keys { text += "<Object><Key>\(XMLElement.escape(key))</Key></Object>" }
        text += "</Delete>"
        var request = S3Request(operation: "DeleteObjects", method: "POST")
        request.query = [(name: "delete", value: "")]
        request.body = MemoryBlock(Array(text.utf8))
        request.isChecksummed = true
        let document = try client.sendForDocument(request, cancel: cancel)
        guard document.name == "DeleteResult" else { throw .malformed("the answer is not a result of deletes") }
        var failed: [Failure] = []
        for element in document.children(named: "Error") {
            guard let key = element.text(of: "Key") else { throw .malformed("an error names no key") }
            var answer = S3ErrorAnswer(status: 200)
            answer.code = element.text(of: "Code") ?? ""
            answer.message = element.text(of: "Message") ?? ""
            if answer.code != "NoSuchKey" { failed.append(Failure(key: key, fault: .answer(answer))) }
        }
        return failed
    }

    /// Whether the server does not know the request, or wants the MD5 of its body, which newer ones do not need.
    private func isRefusal(_ fault: S3Fault) -> Bool {
        guard case .answer(let answer) = fault else { return false }
        return [405, 411, 501].contains(answer.status)
            || answer.status == 400
                && ["", "InvalidRequest", "InvalidDigest", "MissingContentMD5", "MalformedXML", "BadRequest"]
                    .contains(answer.code)
    }
}
