import BackupAPI

/// Fetches small answers of the services that hand out temporary credentials. It gives up soon: the machine may not
/// be in the surroundings that have such a service.
struct CredentialFetch: Sendable {
    /// Sends the requests.
    let transport: CurlTransport

    /// The body of a success; nil for any other outcome.
    func body(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], isDirect: Bool,
        seconds: Int, cancel: CancelFlag
    ) -> [UInt8]? {
        let collector = BodyCollector(limit: 1 << 20)
        let limits = HTTPRequest.Limits(connectSeconds: min(seconds, 5), idleSeconds: seconds, totalSeconds: seconds)
        let request = HTTPRequest(method: method, url: url, headers: headers, limits: limits, isDirect: isDirect)
        guard let answer = try? transport.perform(request, sink: collector, cancel: cancel),
            answer.response.isSuccess, !collector.isOverflowing
        else { return nil }
        return collector.bytes
    }
}

/// Takes a role with the token of a web identity, as in Kubernetes (AWS STS API Reference, AssumeRoleWithWebIdentity).
struct WebIdentityCredentials: CredentialSource {
    let environment: [String: String]
    let profile: SharedProfile
    let region: String
    let fetch: CredentialFetch

    func load(cancel: CancelFlag) throws(CredentialFault) -> S3Credentials? {
        let role = environment["AWS_ROLE_ARN"] ?? profile.webIdentity?.role
        let file = environment["AWS_WEB_IDENTITY_TOKEN_FILE"] ?? profile.webIdentity?.tokenFile
        guard let role, let file else { return nil }
        guard let token = SmallFile.read(file) else {
            throw CredentialFault("the token '\(file)' cannot be read", remedy: "Check AWS_WEB_IDENTITY_TOKEN_FILE.")
        }
        let query = SignatureV4.canonicalQuery([
            (name: "Action", value: "AssumeRoleWithWebIdentity"), (name: "Version", value: "2011-06-15"),
            (name: "RoleArn", value: role),
            (name: "RoleSessionName", value: environment["AWS_ROLE_SESSION_NAME"] ?? "pgmoneta"),
            (name: "WebIdentityToken", value: String(trimming: String(decoding: token, as: UTF8.self))),
        ])
        let service = environment["AWS_ENDPOINT_URL_STS"] ?? "https://sts.\(region).amazonaws.com"
        let url = (service.hasSuffix("/") ? String(service.dropLast()) : service) + "/?" + query
        guard let body = fetch.body("GET", url, isDirect: false, seconds: 10, cancel: cancel),
            let found = WebIdentityCredentials.credentials(inAnswer: body)
        else {
            throw CredentialFault(
                "the role '\(role)' was not given to this identity",
                remedy: "Check that the role trusts this identity, and that the token service can be reached.")
        }
        return found
    }

    /// Reads the service's answer.
    static func credentials(inAnswer body: [UInt8]) -> S3Credentials? {
        guard let document = try? XMLElement(document: body),
            let found = document.child("AssumeRoleWithWebIdentityResult")?.child("Credentials"),
            let identifier = found.text(of: "AccessKeyId"), let secret = found.text(of: "SecretAccessKey"),
            let token = found.text(of: "SessionToken")
        else { return nil }
        return S3Credentials(
            accessKeyID: identifier, secretAccessKey: Secret(secret), sessionToken: Secret(token),
            expiry: found.text(of: "Expiration").flatMap(Timestamp.init(iso8601:)))
    }
}

/// Asks the service beside a container (Amazon ECS, EKS Pod Identity).
struct ContainerCredentials: CredentialSource {
    let environment: [String: String]
    let fetch: CredentialFetch

    func load(cancel: CancelFlag) throws(CredentialFault) -> S3Credentials? {
        let relative = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"].map { "http://169.254.170.2\($0)" }
        guard let url = relative ?? environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] else { return nil }
        var token = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
        if let file = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"], let bytes = SmallFile.read(file) {
            token = String(trimming: String(decoding: bytes, as: UTF8.self))
        }
        let headers = token.map { [(name: "Authorization", value: $0)] } ?? []
        guard let body = fetch.body("GET", url, headers: headers, isDirect: true, seconds: 5, cancel: cancel),
            let found = S3Credentials(roleDocument: body)
        else {
            throw CredentialFault(
                "the container's credential service gave nothing", remedy: "Check the role of the task or pod.")
        }
        return found
    }
}

/// Asks the metadata service of an Amazon EC2 instance, version 2.
struct InstanceCredentials: CredentialSource {
    let environment: [String: String]
    let fetch: CredentialFetch

    func load(cancel: CancelFlag) throws(CredentialFault) -> S3Credentials? {
        guard environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" else { return nil }
        let base = environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ?? "http://169.254.169.254"
        let service = (base.hasSuffix("/") ? String(base.dropLast()) : base) + "/latest/"
        let lifetime = [(name: "X-aws-ec2-metadata-token-ttl-seconds", value: "21600")]
        // On other machines the address leads nowhere, so that the first request has one second only.
        guard let token = text("PUT", service + "api/token", lifetime, seconds: 1, cancel: cancel) else { return nil }
        let headers = [(name: "X-aws-ec2-metadata-token", value: token)]
        let place = service + "meta-data/iam/security-credentials/"
        guard let role = text("GET", place, headers, seconds: 5, cancel: cancel) else { return nil }
        let url = place + URIEncoding.encode(role)
        guard let body = fetch.body("GET", url, headers: headers, isDirect: true, seconds: 5, cancel: cancel),
            let found = S3Credentials(roleDocument: body)
        else {
            throw CredentialFault(
                "the instance's role '\(role)' gave no credentials", remedy: "Check the role of the instance.")
        }
        return found
    }

    private func text(
        _ method: String, _ url: String, _ headers: [(name: String, value: String)], seconds: Int, cancel: CancelFlag
    ) -> String? {
        guard let body = fetch.body(method, url, headers: headers, isDirect: true, seconds: seconds, cancel: cancel)
        else { return nil }
        let first = String(decoding: body, as: UTF8.self).split(whereSeparator: \.isNewline).first
        return first.map { String(trimming: $0) }
    }
}

extension S3Credentials {
    /// Reads the JSON that container and instance services answer with.
    init?(roleDocument body: [UInt8]) {
        guard let members = JSONStrings.parse(body), let identifier = members["AccessKeyId"],
            let secret = members["SecretAccessKey"]
        else { return nil }
        self.init(
            accessKeyID: identifier, secretAccessKey: Secret(secret), sessionToken: members["Token"].map { Secret($0) },
            expiry: members["Expiration"].flatMap(Timestamp.init(iso8601:)))
    }
}
