import BackupAPI
import Codecs
import Synchronization
import TestSupport
import Testing

@testable import S3Backend

/// Where credentials come from, in which order, and when they are renewed.
struct CredentialTests {
    let fetch = CredentialFetch(transport: CurlTransport(trust: TransportTrust(), maximumIdleHandles: 0))
    let cancel = CancelFlag()

    func settings(_ values: [String: String], environment: [String: String] = [:]) throws -> TargetSettings {
        TargetSettings(
            location: try TargetLocation("s3://bucket"), values: values.mapValues { Secret($0) },
            environment: environment)
    }

    @Test func `the secret comes from the settings, a file or a command`() throws {
        let folder = try TemporaryFolder()
        try folder.write(Array("from file\nmore\n".utf8), to: "secret")
        let cases = [
            (["secret_access_key": "from settings"], "from settings"),
            (["secret_access_key_file": folder.path("secret")], "from file"),
            (["secret_access_key_command": "printf '%s\\n' \"from $WORD\""], "from command"),
        ]

        for (values, expected) in cases {
            let source = SettingsCredentials(
                settings: try settings(values.merging(["access_key_id": "AK"]) { $1 }, environment: ["WORD": "command"])
            )
            let found = try source.load(cancel: cancel)

            #expect(found?.accessKeyID == "AK")
            #expect(found?.secretAccessKey.revealText() == expected)
        }
    }

    @Test(arguments: [
        ["access_key_id": "AK"], ["secret_access_key": "S"],
        ["access_key_id": "AK", "secret_access_key_file": "/nowhere"],
        ["access_key_id": "AK", "secret_access_key_command": "exit 3"],
        ["access_key_id": "AK", "secret_access_key_command": "true"],
    ])
    func `half of an identity is a fault, not a reason to look elsewhere`(values: [String: String]) throws {
        let source = SettingsCredentials(settings: try settings(values))

        #expect(throws: CredentialFault.self) { try source.load(cancel: cancel) }
    }

    @Test func `a command that hangs ends with the task`() throws {
        cancel.set()
        let source = SettingsCredentials(
            settings: try settings(["access_key_id": "AK", "secret_access_key_command": "sleep 1000"]))

        #expect(throws: CredentialFault.self) { try source.load(cancel: cancel) }
    }

    @Test func `the shared files are read by profile`() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            Array(
                "[default]\naws_access_key_id = D\naws_secret_access_key=d\n# x\n[other]\naws_access_key_id=O\naws_secret_access_key = o=o\naws_session_token=t\n"
                    .utf8),
            to: ".aws/credentials")
        try folder.write(Array("[profile other]\nregion = eu-west-3\ns3 =\n  region = no\n".utf8), to: ".aws/config")
        let environment = ["HOME": folder.path]

        let standard = try SharedProfile(name: nil, environment: environment).load(cancel: cancel)
        let other = SharedProfile(name: "other", environment: environment)
        let byEnvironment = SharedProfile(name: nil, environment: environment.merging(["AWS_PROFILE": "other"]) { $1 })
        let missing = SharedProfile(name: "missing", environment: environment)

        #expect(standard?.accessKeyID == "D")
        #expect(try other.load(cancel: cancel)?.secretAccessKey.revealText() == "o=o")
        #expect(try other.load(cancel: cancel)?.sessionToken?.revealText() == "t")
        #expect(other.region == "eu-west-3")
        #expect(try byEnvironment.load(cancel: cancel)?.accessKeyID == "O")
        #expect(throws: CredentialFault.self) { try missing.load(cancel: cancel) }
        #expect(try SharedProfile(name: nil, environment: [:]).load(cancel: cancel) == nil)
    }

    @Test func `a web identity takes a role with its token`() throws {
        let folder = try TemporaryFolder()
        try folder.write(Array("the token\n".utf8), to: "token")
        let answer = """
            <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
            <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>W</AccessKeyId><SecretAccessKey>w</SecretAccessKey>
            <SessionToken>t</SessionToken><Expiration>2013-05-24T00:00:00Z</Expiration></Credentials>
            </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
            """
        let service = try FaultyProxy(to: 0) { _, _ in .answer(status: "200 OK", body: answer) }
        let source = WebIdentityCredentials(
            environment: [
                "AWS_ROLE_ARN": "arn:aws:iam::1:role/r", "AWS_WEB_IDENTITY_TOKEN_FILE": folder.path("token"),
                "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:\(service.port)",
            ], profile: SharedProfile(name: nil, environment: [:]), region: "us-east-1", fetch: fetch)

        let found = try source.load(cancel: cancel)

        #expect(found?.accessKeyID == "W")
        #expect(found?.sessionToken?.revealText() == "t")
        #expect(found?.expiry == Timestamp(seconds: 1_369_353_600))
        #expect(service.heads.first?.contains("WebIdentityToken=the%20token") == true)
        #expect(service.heads.first?.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr") == true)
    }

    let roleDocument = """
        {"Code":"Success","AccessKeyId":"R","SecretAccessKey":"r","Token":"t","Expiration":"2013-05-24T00:00:00Z"}
        """

    @Test func `a container asks its service with its token`() throws {
        let document = roleDocument
        let service = try FaultyProxy(to: 0) { _, _ in .answer(status: "200 OK", body: document) }
        let source = ContainerCredentials(
            environment: [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(service.port)/v1",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "own token",
            ], fetch: fetch)

        #expect(try source.load(cancel: cancel)?.accessKeyID == "R")
        #expect(service.heads.first?.contains("Authorization: own token\r\n") == true)
    }

    @Test func `an instance asks its metadata service with a session token`() throws {
        let document = roleDocument
        let service = try FaultyProxy(to: 0) { head, _ in
            if head.hasPrefix("PUT /latest/api/token ") { return .answer(status: "200 OK", body: "session") }
            guard head.contains("X-aws-ec2-metadata-token: session\r\n") else { return .answer(status: "401 No") }
            let isList = head.hasPrefix("GET /latest/meta-data/iam/security-credentials/ ")
            return .answer(status: "200 OK", body: isList ? "role\n" : document)
        }
        let address = "http://127.0.0.1:\(service.port)"
        let source = InstanceCredentials(
            environment: ["AWS_EC2_METADATA_SERVICE_ENDPOINT": address], fetch: fetch)
        let disabled = InstanceCredentials(
            environment: ["AWS_EC2_METADATA_SERVICE_ENDPOINT": address, "AWS_EC2_METADATA_DISABLED": "true"],
            fetch: fetch)

        #expect(try source.load(cancel: cancel)?.secretAccessKey.revealText() == "r")
        #expect(try disabled.load(cancel: cancel) == nil)
        #expect(service.heads.count == 3)
    }

    /// Gives a new identity each time, for an hour.
    final class HourlySource: CredentialSource {
        let count = Mutex(0)
        let isBroken = Mutex(false)

        func load(cancel: CancelFlag) throws(CredentialFault) -> S3Credentials? {
            if isBroken.withLock({ $0 }) { throw CredentialFault("broken", remedy: "repair") }
            let number = count.withLock { count in
                count += 1
                return count
            }
            return S3Credentials(
                accessKeyID: "H\(number)", secretAccessKey: Secret("s"), expiry: Timestamp(seconds: number * 3600))
        }
    }

    @Test func `temporary credentials are kept, renewed before their end, and kept while a renewal fails`() throws {
        let time = Mutex(0)
        let source = HourlySource()
        let clock: @Sendable () -> Timestamp = { Timestamp(seconds: time.withLock { $0 }) }
        let chain = CredentialChain([EnvironmentCredentials(environment: [:]), source], now: clock)
        func identity(at second: Int) throws -> String {
            time.withLock { $0 = second }
            return try chain.current(cancel: cancel).accessKeyID
        }

        #expect(try identity(at: 0) == "H1")
        #expect(try identity(at: 3299) == "H1")
        #expect(try identity(at: 3301) == "H2")
        source.isBroken.withLock { $0 = true }
        #expect(try identity(at: 7199) == "H2")
        #expect(throws: CredentialFault.self) { try identity(at: 7200) }
    }

    @Test func `without any identity the error says where one was looked for`() async throws {
        let factory = S3BackendFactory.factory(cryptography: OpenSSLCryptography())
        let backend = try await factory.open(
            try settings(["endpoint": "http://127.0.0.1:1"], environment: ["AWS_EC2_METADATA_DISABLED": "true"]))

        let error = await #expect(throws: StorageError.self) { try await backend.list(ListRequest(prefix: "")) }

        #expect(error?.reason == .notAuthenticated)
        #expect(error?.remedy.contains("access_key_id") == true)
    }

    @Test func `an expired token is replaced while it is used`() async throws {
        let server = try SeaweedServer.shared()
        let proxy = try FaultyProxy(to: server.httpPort) { head, repetition in
            repetition == 0
                ? .answer(status: "400 Bad Request", body: "<Error><Code>ExpiredToken</Code></Error>") : .relay
        }
        let endless = try FaultyProxy(to: 0) { _, repetition in
            .answer(
                status: "200 OK",
                body: """
                    {"AccessKeyId":"\(SeaweedServer.accessKeyID)","SecretAccessKey":"\(SeaweedServer.secret)",
                    "Expiration":"2099-01-01T00:00:00Z"}
                    """)
        }
        let backend = try await S3BackendFactory.factory(cryptography: OpenSSLCryptography()).open(
            TargetSettings(
                location: try TargetLocation("s3://\(SeaweedServer.bucket)/expired"),
                values: ["endpoint": Secret("http://127.0.0.1:\(proxy.port)")],
                environment: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(endless.port)/"]))

        try await backend.put(ObjectKey("object"), bytes: [1])

        #expect(endless.heads.count == 2)
    }
}
