import BackupAPI

/// Removes what dead processes left behind: multipart uploads and probe objects.
struct UploadSweep: Sendable {
    /// Sends the requests.
    let client: S3Client
    /// Seconds; younger ones may still be in use.
    var leastAgeInSeconds = 86_400

    /// Removes what lies below `prefix`, relative to the target; it blocks the calling thread.
    /// - Returns: how many were removed.
    func run(prefix: String, cancel: CancelFlag) throws(S3Fault) -> Int {
        var count = 0
        for upload in try uploads(prefix: prefix, cancel: cancel) {
            ObjectWriting(client: client, key: upload.key, isCreateOnly: false).abort(upload.identifier)
            count += 1
            if cancel.isSet { return count }
        }
        // Probe objects stand in the root, whatever object they were for.
        guard !prefix.utf8.contains(UInt8(ascii: "/")) else { return count }
        let leftovers = try oldObjects(prefix: root + ObjectKey.temporaryPrefix, cancel: cancel)
        let failed = try S3Deletion(client: client).delete(leftovers, cancel: cancel)
        return count + leftovers.count - failed.count
    }

    /// An unfinished upload.
    typealias Upload = (key: String, identifier: String)

    /// Finds the uploads below `prefix`, relative to the target, that are old enough.
    func uploads(prefix: String, cancel: CancelFlag) throws(S3Fault) -> [Upload] {
        let prefix = root + prefix
        var uploads: [Upload] = []
        var markers: [(name: String, value: String)] = []
        while true {
            var request = S3Request(operation: "ListMultipartUploads", method: "GET")
            request.query =
                [
                    (name: "uploads", value: ""), (name: "prefix", value: prefix),
                    (name: "encoding-type", value: "url"), (name: "max-uploads", value: "1000"),
                ] + markers
            let document = try client.sendForDocument(request, cancel: cancel)
            let isEncoded = document.text(of: "EncodingType") == "url"
            for element in document.children(named: "Upload") {
                guard let name = element.text(of: "Key"), let identifier = element.text(of: "UploadId"),
                    let key = isEncoded ? URIEncoding.decodeForm(name) : name, key.utf8.starts(with: prefix.utf8),
                    isOld(element.text(of: "Initiated"))
                else { continue }
                uploads.append((key, identifier))
            }
            // Uploads that are removed meanwhile do not disturb the markers; a thousand pages are enough for any one run.
            guard document.text(of: "IsTruncated") == "true", uploads.count < 10_000,
                let key = document.text(of: "NextKeyMarker"), let identifier = document.text(of: "NextUploadIdMarker")
            else { return uploads }
            let next = [
                (name: "key-marker", value: isEncoded ? URIEncoding.decodeForm(key) ?? key : key),
                (name: "upload-id-marker", value: identifier),
            ]
            guard markers.map(\.value) != next.map(\.value) else { return uploads }
            markers = next
        }
    }

    private var root: String { client.configuration.rootPrefix }

    private func oldObjects(prefix: String, cancel: CancelFlag) throws(S3Fault) -> [String] {
        var request = S3Request(operation: "ListObjectsV2", method: "GET")
        request.query = [
            (name: "list-type", value: "2"), (name: "prefix", value: prefix), (name: "max-keys", value: "1000"),
        ]
        let document = try client.sendForDocument(request, cancel: cancel)
        return document.children(named: "Contents").compactMap { element in
            guard let key = element.text(of: "Key"), key.utf8.starts(with: prefix.utf8),
                isOld(element.text(of: "LastModified"))
            else { return nil }
            return key
        }
    }

    private func isOld(_ text: String?) -> Bool {
        guard let time = text.flatMap(Timestamp.init(iso8601:)) else { return false }
        return time.seconds + leastAgeInSeconds <= client.time.seconds
    }
}
