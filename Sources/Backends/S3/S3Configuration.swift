import BackupAPI

/// What a target's settings mean, checked.
struct S3Configuration: Sendable {
    /// Where requests go.
    var endpoint: S3Endpoint
    /// The region that requests are signed for.
    var region: String
    /// What stands before every key of the target, without a slash at its ends; empty for the whole bucket.
    var root: String
    /// `x-amz-storage-class`; nil for the bucket's own.
    var storageClass: String?
    /// `x-amz-server-side-encryption`; nil for the bucket's own.
    var serverSideEncryption: String?
    /// The key of `aws:kms`.
    var keyID: String?
    /// How the server proves who it is.
    var trust = TransportTrust()
    /// Bytes of the first parts of a large object, and most of an object that goes in one request.
    var partByteCount = S3Configuration.standardPartByteCount
    /// Requests that one upload or one reader has in flight.
    var concurrency = 4
    /// How often and how soon parts and ranges are tried again.
    var backoff = Backoff()

    /// 8 MiB.
    static let standardPartByteCount = 8 << 20
    /// What S3 takes as a part (Amazon S3 User Guide, "Multipart upload limits").
    static let allowedPartByteCounts = (5 << 20)...(5 << 30)

    /// What every key in the bucket begins with.
    var rootPrefix: String { root.isEmpty ? "" : root + "/" }

    /// For people and logs.
    var displayName: String { "s3://\(endpoint.bucket)" + (root.isEmpty ? "" : "/\(root)") }

    /// What an operator should know of the settings, loudest first.
    var remarks: [String] {
        var remarks: [String] = []
        if !endpoint.isEncrypted {
            remarks.append(
                "NOT ENCRYPTED: '\(endpoint.authority)' is reached by http; everybody on the way can read and change the data"
            )
        } else if !trust.isVerified {
            remarks.append(
                "NOT VERIFIED: 'verify_tls' is off; anybody on the way can pose as '\(endpoint.authority)'")
        }
        return remarks
    }

    /// The key in the bucket of an object of the target.
    /// - Throws: `.invalidKey` when both together are longer than S3 allows.
    func fullKey(_ key: String, operation: StorageError.Operation) throws(StorageError) -> String {
        let full = rootPrefix + key
        guard full.utf8.count <= ObjectKey.maximumByteCount else {
            throw StorageError(
                .invalidKey, operation: operation, key: key, target: displayName,
                detail: "with the target's prefix it is longer than \(ObjectKey.maximumByteCount) bytes")
        }
        return full
    }
}
