/// Looks at an object without reading it.
struct ObjectLook: Sendable {
    /// Sends the requests.
    let client: S3Client
    /// The key in the bucket.
    let key: String

    /// The object's size.
    func byteCount(cancel: CancelFlag) throws(S3Fault) -> Int {
        let head = S3Request(operation: "HeadObject", method: "HEAD", key: key)
        let response: HTTPResponse
        do throws(S3Fault) {
            response = try client.send(head, cancel: cancel)
        } catch {
            guard let status = error.status, status < 500 else { throw error }
            return try askForWords(cancel: cancel)
        }
        guard let count = response.headers["content-length"].flatMap({ Int($0) }) else {
            throw .malformed("the answer does not tell the object's size")
        }
        return count
    }

    /// An error that answers HEAD has no words, so that a missing key looks like a missing bucket: they are asked for
    /// by reading one byte.
    private func askForWords(cancel: CancelFlag) throws(S3Fault) -> Int {
        try RangeFetch(client: client, key: key, offset: 0, count: 1, entityTag: nil).run(cancel: cancel)
            .objectByteCount
    }
}
