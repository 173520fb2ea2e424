import BackupAPI

/// The requests that write one object. They block the calling thread and try parts of their work again.
struct ObjectWriting: Sendable {
    /// Sends the requests.
    let client: S3Client
    /// The key in the bucket.
    let key: String
    /// Whether the server is to refuse when the object is there.
    let isCreateOnly: Bool
    /// Stored with the object.
    let mark = WriteMark()

    /// A part that the server has.
    struct Part: Sendable {
        let number: Int
        let entityTag: String
        let checksum: String?
    }

    /// Writes the whole object with one request.
    func putWhole(_ block: MemoryBlock, cancel: CancelFlag) throws(S3Fault) {
        var request = S3Request(operation: "PutObject", method: "PUT", key: key)
        request.headers = objectHeaders + (isCreateOnly ? [ifNoneMatch] : [])
        request.body = block
        request.isChecksummed = true
        try sendDecisive(cancel: cancel) { () throws(S3Fault) in _ = try client.send(request, cancel: cancel) }
    }

    /// Begins a multipart upload.
    /// - Returns: its id.
    func begin(cancel: CancelFlag) throws(S3Fault) -> String {
        var request = S3Request(operation: "CreateMultipartUpload", method: "POST", key: key)
        request.query = [(name: "uploads", value: "")]
        request.headers = objectHeaders + [(name: "x-amz-checksum-algorithm", value: "SHA256")]
        let document = try client.configuration.backoff.run(cancel: cancel) { _ throws(S3Fault) in
            try client.sendForDocument(request, cancel: cancel)
        }
        guard let identifier = document.text(of: "UploadId"), !identifier.isEmpty else {
            throw .malformed("the answer names no upload")
        }
        return identifier
    }

    /// Sends one part.
    func put(part number: Int, of upload: String, _ block: MemoryBlock, cancel: CancelFlag) throws(S3Fault) -> Part {
        var request = S3Request(operation: "UploadPart", method: "PUT", key: key)
        request.query = [(name: "partNumber", value: String(number)), (name: "uploadId", value: upload)]
        request.body = block
        request.isChecksummed = true
        let response = try client.configuration.backoff.run(cancel: cancel) { _ throws(S3Fault) in
            try client.send(request, cancel: cancel)
        }
        guard let tag = response.headers["etag"] else { throw .malformed("the answer names no ETag") }
        return Part(number: number, entityTag: tag, checksum: response.headers["x-amz-checksum-sha256"])
    }

    /// Makes an object of the parts.
    func complete(_ upload: String, parts: [Part], cancel: CancelFlag) throws(S3Fault) {
        var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for part in parts {
            text += "<Part><PartNumber>\(part.number)</PartNumber><ETag>\(XMLElement.escape(part.entityTag))</ETag>"
            if let sum = part.checksum { text += "<ChecksumSHA256>\(XMLElement.escape(sum))</ChecksumSHA256>" }
            text += "</Part>"
        }
        text += "</CompleteMultipartUpload>"
        var request = S3Request(operation: "CompleteMultipartUpload", method: "POST", key: key)
        request.query = [(name: "uploadId", value: upload)]
        request.headers = isCreateOnly ? [ifNoneMatch] : []
        request.body = MemoryBlock(Array(text.utf8))
        // Joining many parts may take minutes (API reference of CompleteMultipartUpload).
        request.limits.idleSeconds = 600
        try sendDecisive(cancel: cancel) { () throws(S3Fault) in
            _ = try client.sendForDocument(request, cancel: cancel)
        }
    }

    /// Drops the parts of an upload. What cannot be dropped now is a case for the sweep.
    func abort(_ upload: String) {
        var request = S3Request(operation: "AbortMultipartUpload", method: "DELETE", key: key)
        request.query = [(name: "uploadId", value: upload)]
        request.limits = HTTPRequest.Limits(connectSeconds: 5, idleSeconds: 15, totalSeconds: 30)
        var backoff = client.configuration.backoff
        backoff.attempts = min(backoff.attempts, 3)
        let cancel = CancelFlag()
        _ = try? backoff.run(cancel: cancel) { _ throws(S3Fault) in try client.send(request, cancel: cancel) }
    }

    /// Whether an object with the key is there.
    func exists(cancel: CancelFlag) throws(S3Fault) -> Bool { try head(cancel: cancel) != nil }

    /// Sends the request that makes the object visible; of its outcomes only one is taken for ours.
    private func sendDecisive(cancel: CancelFlag, _ send: () throws(S3Fault) -> Void) throws(S3Fault) {
        var mayHaveSucceeded = false
        try client.configuration.backoff.run(cancel: cancel) { _ throws(S3Fault) in
            do throws(S3Fault) {
                try send()
            } catch {
                // 412: the object is there. 404: the upload is gone. Both may be our own first try, whose answer was lost.
                if mayHaveSucceeded, error.status == 412 || error.status == 404, try isOurs(cancel: cancel) { return }
                if isCreateOnly, error.status == 412 { throw .exists }
                if error.isAmbiguous { mayHaveSucceeded = true }
                throw error
            }
        }
    }

    private func isOurs(cancel: CancelFlag) throws(S3Fault) -> Bool {
        try head(cancel: cancel)?.headers[WriteMark.headerName] == mark.text
    }

    private func head(cancel: CancelFlag) throws(S3Fault) -> HTTPResponse? {
        let request = S3Request(operation: "HeadObject", method: "HEAD", key: key)
        do throws(S3Fault) {
            return try client.send(request, cancel: cancel)
        } catch {
            guard error.status == 404 else { throw error }
            return nil
        }
    }

    private var ifNoneMatch: (name: String, value: String) { (name: "If-None-Match", value: "*") }

    private var objectHeaders: [(name: String, value: String)] {
        var headers = [mark.header]
        let configuration = client.configuration
        if let name = configuration.storageClass { headers.append((name: "x-amz-storage-class", value: name)) }
        if let name = configuration.serverSideEncryption {
            headers.append((name: "x-amz-server-side-encryption", value: name))
        }
        if let identifier = configuration.keyID {
            headers.append((name: "x-amz-server-side-encryption-aws-kms-key-id", value: identifier))
        }
        return headers
    }
}
