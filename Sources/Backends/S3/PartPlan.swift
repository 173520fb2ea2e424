/// How large the parts of a large object are, so that 10,000 of them suffice for any object.
///
/// The size doubles after each 1000 parts: with 8 MiB, an object of 8 GB has parts of 8 MiB, and 5 TiB are reached with
/// 9,400 parts. (Amazon S3 User Guide, "Multipart upload limits": 10,000 parts of 5 MiB to 5 GiB.)
struct PartPlan: Sendable {
    /// Most parts of an object.
    static let maximumPartCount = 10_000
    /// Bytes of the first thousand parts.
    let firstPartByteCount: Int

    /// Bytes of a part; parts are numbered from 1.
    func byteCount(ofPart number: Int) -> Int {
        let doublings = min(max(0, number - 1) / 1000, 9)
        return min(firstPartByteCount << doublings, 5 << 30)
    }

    /// The largest object, by this plan or by S3's own limit of 5 TiB.
    var maximumObjectByteCount: Int {
        let total = (0..<10).reduce(0) { $0 + 1000 * byteCount(ofPart: $1 * 1000 + 1) }
        return min(total, 5 << 40)
    }
}
