import BackupAPI
import Testing

@testable import S3Backend

struct S3ErrorsTests {
    let errors = S3Errors(
        target: "s3://bucket/prefix", endpoint: .amazon(region: "eu-central-1", bucket: "bucket", isPathStyle: nil))

    func error(_ status: Int, _ code: String, headers: [String: String] = [:], extra: String = "") -> StorageError {
        let body = code.isEmpty ? "" : "<Error><Code>\(code)</Code><Message>words</Message>\(extra)</Error>"
        let answer = S3ErrorAnswer(
            HTTPResponse(status: status, headers: headers), body: Array(body.utf8),
            now: Timestamp(seconds: 1_369_353_600))
        return errors.error(.answer(answer), operation: .read, key: "key")
    }

    @Test(arguments: [
        (403, "SignatureDoesNotMatch", StorageError.Reason.notAuthenticated),
        (403, "InvalidAccessKeyId", .notAuthenticated), (400, "ExpiredToken", .notAuthenticated),
        (401, "", .notAuthenticated), (403, "AccessDenied", .permissionDenied), (403, "", .permissionDenied),
        (404, "NoSuchBucket", .misconfigured), (404, "NoSuchKey", .notFound), (404, "", .notFound),
        (503, "SlowDown", .throttled), (429, "TooManyRequests", .throttled), (503, "", .throttled),
        (500, "InternalError", .unavailable), (502, "", .unavailable), (504, "", .unavailable),
        (507, "", .noSpace), (403, "QuotaExceeded", .noSpace), (405, "MethodNotAllowed", .unsupported),
        (501, "NotImplemented", .unsupported), (412, "PreconditionFailed", .alreadyExists),
        (400, "InvalidStorageClass", .misconfigured), (301, "PermanentRedirect", .misconfigured),
        (418, "Teapot", .failed), (200, "InternalError", .unavailable),
    ])
    func `every answer has its reason`(status: Int, code: String, reason: StorageError.Reason) {
        let found = error(status, code)

        #expect(found.reason == reason)
        #expect(found.summary.contains("HTTP \(status)"))
        #expect(found.key == "key")
    }

    @Test func `a wrong clock is named with the difference`() {
        let found = error(
            403, "RequestTimeTooSkewed", headers: ["date": "Fri, 24 May 2013 01:00:00 GMT"])

        #expect(found.reason == .notAuthenticated)
        #expect(found.summary.contains("differ by 3600 s, this machine's is slow"))
    }

    @Test func `another region is named in the remedy`() {
        let redirected = error(301, "PermanentRedirect", headers: ["x-amz-bucket-region": "eu-west-1"])
        let malformed = error(400, "AuthorizationHeaderMalformed", extra: "<Region>eu-west-2</Region>")

        #expect(redirected.remedy == "Set 'region = eu-west-1' for the target.")
        #expect(malformed.remedy == "Set 'region = eu-west-2' for the target.")
    }

    @Test(arguments: [("7", 7), ("Fri, 24 May 2013 00:00:30 GMT", 30)])
    func `the server's wish to wait is passed on`(text: String, seconds: Int) {
        #expect(error(503, "SlowDown", headers: ["retry-after": text]).retry == .after(.seconds(seconds)))
    }

    @Test(arguments: [
        (TransportFault.Kind.cancelled, StorageError.Reason.cancelled), (.unreachable, .unavailable),
        (.broken, .unavailable), (.timedOut, .timedOut), (.identity, .notAuthenticated), (.setup, .misconfigured),
    ])
    func `faults of the connection have their reason`(kind: TransportFault.Kind, reason: StorageError.Reason) {
        let fault = TransportFault(kind: kind, words: "words", wasSent: false)

        #expect(errors.error(.transport(fault), operation: .write, key: nil).reason == reason)
    }
}
