/// What one request lists, with whole keys of the bucket.
struct BucketPage: Sendable, Hashable {
    /// An object or a folder.
    struct Entry: Sendable, Hashable {
        /// The whole key; a folder's ends in `/`.
        var path: String
        /// The object's size; nil for a folder.
        var byteCount: Int?

        /// The path without the slash of a folder.
        var bareName: Substring { byteCount == nil ? Substring(path.utf8.dropLast()) : path[...] }
    }

    /// Objects, in the server's order.
    var objects: [Entry] = []
    /// Folders, in the server's order.
    var folders: [Entry] = []
    /// With what the next page is asked for; nil when this is the last.
    var token: String?

    /// Makes a page.
    init(objects: [Entry] = [], folders: [Entry] = [], token: String? = nil) {
        self.objects = objects
        self.folders = folders
        self.token = token
    }

    /// Reads an answer to ListObjectsV2.
    init(_ document: XMLElement) throws(S3Fault) {
        guard document.name == "ListBucketResult" else { throw .malformed("the answer is not a listing") }
        let isEncoded = document.text(of: "EncodingType") == "url"
        for element in document.children(named: "Contents") {
            guard let key = element.text(of: "Key"), let size = element.text(of: "Size").flatMap({ Int($0) }),
                let path = isEncoded ? URIEncoding.decodeForm(key) : key
            else { throw .malformed("an entry of the listing is not well formed") }
            objects.append(Entry(path: path, byteCount: size))
        }
        for element in document.children(named: "CommonPrefixes") {
            guard let key = element.text(of: "Prefix"), let path = isEncoded ? URIEncoding.decodeForm(key) : key,
                path.utf8.last == UInt8(ascii: "/")
            else { throw .malformed("a folder of the listing is not well formed") }
            folders.append(Entry(path: path))
        }
        if document.text(of: "IsTruncated") == "true" {
            guard let next = document.text(of: "NextContinuationToken"), !next.isEmpty else {
                throw .malformed("the listing is cut, but does not say how to go on")
            }
            token = next
        }
    }
}

/// Asks for a page of a listing.
struct BucketQuery: Sendable, Hashable {
    /// Only keys that begin with this text.
    var prefix: String
    /// Only keys behind this text.
    var after: String?
    /// Goes on behind an earlier page.
    var token: String?
    /// Whether keys are cut behind the first `/` after the prefix.
    var isShallow: Bool
    /// Most entries.
    var limit: Int
}
