import BackupAPI

/// Puts faults of S3 into the words of the contract. All that is known of the errors of S3 servers stands here.
struct S3Errors: Sendable {
    /// `displayName` of the backend.
    let target: String
    /// Where requests go.
    let endpoint: S3Endpoint

    /// The error that callers see.
    func error(_ fault: S3Fault, operation: StorageError.Operation, key: String?) -> StorageError {
        let meaning =
            switch fault {
            case .answer(let answer): meaning(of: answer)
            case .transport(let fault): meaning(of: fault)
            case .credentials(let fault): Meaning(.notAuthenticated, fault.words, fault.remedy)
            case .malformed(let words): Meaning(.failed, words, "Check that 'endpoint' is an S3 server.")
            case .exists: Meaning(.alreadyExists, nil)
            case .changed: Meaning(.corrupt, "the object was replaced while it was read", "Run the command again.")
            }
        return StorageError(
            meaning.reason, operation: operation, key: key, target: target, detail: meaning.detail,
            waitAdvice: fault.waitAdvice.map { Duration.seconds($0) }, remedy: meaning.remedy)
    }

    private struct Meaning {
        var reason: StorageError.Reason
        var detail: String?
        var remedy: String?

        init(_ reason: StorageError.Reason, _ detail: String?, _ remedy: String? = nil) {
            self.reason = reason
            self.detail = detail
            self.remedy = remedy
        }
    }

    private func meaning(of answer: S3ErrorAnswer) -> Meaning {
        var native = "HTTP \(answer.status)" + (answer.code.isEmpty ? "" : " \(answer.code)")
        if let meaning = identityMeaning(of: answer, native: native) { return meaning }
        if let meaning = placeMeaning(of: answer, native: native) { return meaning }
        if !answer.message.isEmpty { native += ": \(answer.message.prefix(200))" }
        switch answer.status {
        case 403: return Meaning(.permissionDenied, native)
        case 404: return Meaning(.notFound, native)
        case 405, 501: return Meaning(.unsupported, native)
        case 408: return Meaning(.timedOut, native)
        case 409, 500, 502, 504: return Meaning(.unavailable, native)
        case 412: return Meaning(.alreadyExists, native)
        case 429, 503: return Meaning(.throttled, native)
        case 507: return Meaning(.noSpace, native)
        default: return Meaning(answer.isTransient ? .unavailable : .failed, native)
        }
    }

    /// Errors about who asks.
    private func identityMeaning(of answer: S3ErrorAnswer, native: String) -> Meaning? {
        switch answer.code {
        case "RequestTimeTooSkewed", "RequestExpired":
            let skew = answer.clockSkew.map { skew in
                "; the clocks differ by \(abs(skew)) s, this machine's is \(skew > 0 ? "slow" : "fast")"
            }
            return Meaning(
                .notAuthenticated, native + (skew ?? ""), "Set the clock of this machine, for example with chrony.")
        case "SignatureDoesNotMatch":
            return Meaning(.notAuthenticated, native, "Check 'secret_access_key' and 'region' of the target.")
        case "InvalidAccessKeyId", "InvalidToken", "InvalidClientTokenId":
            return Meaning(.notAuthenticated, native, "Check 'access_key_id' and 'session_token' of the target.")
        case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
            return Meaning(.notAuthenticated, native, "Get new temporary credentials.")
        case "AccountProblem", "InvalidSecurity", "NotSignedUp", "MissingSecurityHeader":
            return Meaning(.notAuthenticated, native)
        case "AccessDenied", "AllAccessDisabled":
            return Meaning(
                .permissionDenied, native,
                "Grant s3:GetObject, s3:PutObject, s3:DeleteObject, s3:ListBucket, s3:AbortMultipartUpload and "
                    + "s3:ListBucketMultipartUploads on '\(endpoint.bucket)' to this access key.")
        default: return answer.status == 401 ? Meaning(.notAuthenticated, native) : nil
        }
    }

    /// Errors about where is asked.
    private func placeMeaning(of answer: S3ErrorAnswer, native: String) -> Meaning? {
        switch answer.code {
        case "NoSuchBucket":
            return Meaning(
                .misconfigured, native, "Create the bucket '\(endpoint.bucket)', or correct 'url' and 'endpoint'.")
        case "InvalidBucketName", "InvalidURI":
            return Meaning(.misconfigured, native, "Correct the bucket's name in 'url'.")
        case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException":
            return region(answer, native)
        case "QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity", "StorageFull":
            return Meaning(.noSpace, native)
        case "InvalidStorageClass":
            return Meaning(.misconfigured, native, "Correct 'storage_class' of the target.")
        case "KMS.NotFoundException", "KMS.DisabledException", "KMS.InvalidStateException":
            return Meaning(.misconfigured, native, "Check 'kms_key_id' of the target and the state of that key.")
        case "InvalidObjectState":
            return Meaning(.unsupported, native, "Restore the object from its archive storage class first.")
        default: return [301, 302, 307, 308].contains(answer.status) ? region(answer, native) : nil
        }
    }

    private func region(_ answer: S3ErrorAnswer, _ native: String) -> Meaning {
        guard let region = answer.region else {
            return Meaning(.misconfigured, native, "Check 'region' and 'endpoint' of the target.")
        }
        return Meaning(
            .misconfigured, "\(native); the bucket is in region '\(region)'", "Set 'region = \(region)' for the target."
        )
    }

    private func meaning(of fault: TransportFault) -> Meaning {
        switch fault.kind {
        case .cancelled: return Meaning(.cancelled, nil)
        case .unreachable, .broken: return Meaning(.unavailable, fault.words)
        case .timedOut: return Meaning(.timedOut, fault.words)
        case .identity:
            return Meaning(
                .notAuthenticated, fault.words,
                "Check that 'endpoint' has the host name of the server's certificate, and set 'ca_file' to the "
                    + "certificate of its authority.")
        case .setup: return Meaning(.misconfigured, fault.words, "Check 'ca_file' and 'endpoint' of the target.")
        }
    }
}
