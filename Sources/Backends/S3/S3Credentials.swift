import BackupAPI

/// An identity that requests are signed with.
struct S3Credentials: Sendable, Hashable {
    /// The public half, such as `AKIA…`.
    var accessKeyID: String
    /// The secret half.
    var secretAccessKey: Secret
    /// The token of temporary credentials.
    var sessionToken: Secret?
    /// When temporary credentials end.
    var expiry: Timestamp?
}
