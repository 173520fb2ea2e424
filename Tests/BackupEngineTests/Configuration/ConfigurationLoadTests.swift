import BackupAPI
import BackupEngine
import Testing

@Suite struct ConfigurationLoadTests {
    @Test func `a minimal file gets every default`() throws {
        let configuration = try ConfigurationSamples.load(ConfigurationSamples.minimal)

        let server = try #require(configuration.server(named: "primary"))
        #expect(server.connection.port == 5432)
        #expect(server.connection.databaseName == "postgres")
        #expect(server.compression == CompressionSettings(codec: "zstd"))
        #expect(server.encryption == nil)
        #expect(server.workers == 0)
        #expect(server.maximumBytesPerSecond == 0)
        #expect(server.manifest == .crc32c)
        #expect(server.retention == RetentionPolicy(days: 7))
        #expect(server.walSlot == nil)
        #expect(!server.createsSlot)
        #expect(server.targetNames == ["local"])
        #expect(configuration.targets.map(\.location.description) == ["file:///b"])
        #expect(configuration.global.host == "localhost")
        #expect("\(configuration.global.log.level)" == "info")
        #expect(configuration.warnings.isEmpty)
    }

    @Test(arguments: [(0, 1, 1), (0, 6, 6), (0, 64, 8), (0, -1, 1), (32, 4, 32)])
    func `workers are one per processor but no more than eight, unless they are set`(
        setting: Int, processors: Int, count: Int
    ) throws {
        let text = ConfigurationSamples.minimal.replacing("[primary]", with: "workers = \(setting)\n[primary]")

        let server = try #require(try ConfigurationSamples.load(text).server(named: "primary"))

        #expect(server.workerCount(processors: processors) == count)
    }

    @Test func `a server overrides what [pgmoneta] says`() throws {
        let configuration = try ConfigurationSamples.load(
            """
            [pgmoneta]
            base_dir = $HOME/backups
            compression = client-lz4
            compression_level = 5
            encryption = aes
            workers = 4
            max_rate = 10MB
            retention = 7, 4, -, -
            manifest = sha256
            create_slot = yes
            [target:far]
            url = s3://bucket/prefix
            secret_access_key = hush
            [a]
            host = /var/run/postgresql
            user = repl
            [b]
            host = b.example.org
            port = 5433
            user = repl
            dbname = app
            sslmode = verify-full
            tls_cert_file = ${HOME}/c.pem
            tls_key_file = ~/k.pem
            tls_ca_file = /ca.pem
            compression = server-gzip
            encryption = none
            workers = -1
            max_rate = 1M
            retention = 30
            wal_slot = slot_b
            create_slot = off
            target = far, local
            """)

        let a = try #require(configuration.server(named: "a"))
        #expect(a.compression == CompressionSettings(codec: "lz4", level: 5, wire: .client))
        #expect(a.encryption == "aes-256-gcm")
        #expect(a.workers == 4)
        #expect(a.maximumBytesPerSecond == 10_485_760)
        #expect(a.manifest == .sha256)
        #expect(a.createsSlot)
        #expect(a.targetNames == ["local"])
        let b = try #require(configuration.server(named: "b"))
        #expect(b.compression == CompressionSettings(codec: "gzip", level: 5, wire: .server))
        #expect(b.encryption == nil)
        #expect(b.workers == 4)
        #expect(b.maximumBytesPerSecond == 1_048_576)
        #expect(b.retention == RetentionPolicy(days: 30))
        #expect(b.walSlot == "slot_b")
        #expect(!b.createsSlot)
        #expect(b.targetNames == ["far", "local"])
        #expect(b.connection.certificateFile == "/home/u/c.pem")
        #expect(b.connection.keyFile == "/home/u/k.pem")
        #expect(b.connection.sslMode == "verify-full")
        #expect(
            configuration.targets(of: b).map(\.location.description) == [
                "s3://bucket/prefix", "file:///home/u/backups",
            ])
        #expect(configuration.target(named: "far")?.settings.text("secret_access_key") == "hush")
    }

    @Test func `the s3 and ssh keys of the reference system make targets`() throws {
        let configuration = try ConfigurationSamples.load(
            """
            [pgmoneta]
            base_dir = /b
            storage_engine = local, s3, ssh
            s3_bucket = buck
            s3_base_dir = /pg/moneta/
            s3_region = eu-west-1
            s3_access_key_id = AKID
            s3_secret_access_key = SECRET
            s3_storage_class = STANDARD_IA
            s3_endpoint = minio.example.org
            s3_port = 9000
            s3_use_tls = off
            ssh_hostname = vault
            ssh_username = keeper
            ssh_port = 2222
            ssh_base_dir = /srv/100%
            ssh_private_key_file = ~/.ssh/id
            [primary]
            host = h
            user = u
            [second]
            host = h
            user = u
            s3_bucket = other
            """)

        #expect(configuration.server(named: "primary")?.targetNames == ["local", "s3", "ssh"])
        #expect(configuration.server(named: "second")?.targetNames == ["local", "s3-second", "ssh"])
        let s3 = try #require(configuration.target(named: "s3"))
        #expect(s3.location.description == "s3://buck/pg/moneta")
        #expect(s3.settings.text("endpoint") == "http://minio.example.org:9000")
        #expect(s3.settings.text("path_style") == "on")
        #expect(s3.settings.text("region") == "eu-west-1")
        #expect(s3.settings.text("secret_access_key") == "SECRET")
        #expect(configuration.target(named: "s3-second")?.location.description == "s3://other/pg/moneta")
        #expect(configuration.target(named: "s3-second")?.settings.text("region") == "eu-west-1")
        let ssh = try #require(configuration.target(named: "ssh"))
        #expect(ssh.location.description == "sftp://keeper@vault:2222/srv/100%")
        #expect(ssh.settings.text("private_key_file") == "/home/u/.ssh/id")
    }

    @Test func `each hot standby has its own folder and its own tablespaces`() throws {
        let general = "[pgmoneta]\nbase_dir = /b\n[p]\nhost = h\nuser = u\n"
        let lines = "hot_standby = /one, /two\nhot_standby_tablespaces = /a -> /x, /b -> /y | \n"
        let server = try ConfigurationSamples.load(general + lines).server(named: "p")
        let plain = try ConfigurationSamples.load(general + "hot_standby = /one\n").server(named: "p")

        #expect(
            server?.hotStandbys == [
                HotStandby(dataDirectory: "/one/p", tablespaces: ["/a": "/x", "/b": "/y"]),
                HotStandby(dataDirectory: "/two/p", tablespaces: [:]),
            ])
        #expect(plain?.hotStandbys == [HotStandby(dataDirectory: "/one/p", tablespaces: [:])])
        for faulty in [
            "hot_standby = one", "hot_standby = /one, /one", "hot_standby_tablespaces = /a -> /x",
            "hot_standby = /one\nhot_standby_tablespaces = /a", "hot_standby = /one\nhot_standby_tablespaces = /a -> x",
            "hot_standby = /one, /two\nhot_standby_tablespaces = /a -> /x",
        ] {
            #expect(throws: ConfigurationError.self, "\(faulty)") {
                try ConfigurationSamples.load(general + faulty + "\n")
            }
        }
    }

    @Test func `without base_dir, a server uses every target that is defined`() throws {
        let configuration = try ConfigurationSamples.load(
            "[pgmoneta]\n[target:one]\nurl = file:///1\n[target:two]\nurl = file:///2\n[p]\nhost = h\nuser = u\n")

        #expect(configuration.server(named: "p")?.targetNames == ["one", "two"])
    }

    @Test func `a key of the reference system without meaning here is a warning with a reason`() throws {
        let configuration = try ConfigurationSamples.load(
            "[pgmoneta]\nbase_dir = /b\nlibev = auto\nhugepage = try\n[p]\nhost = h\nuser = u\nwal_shipping = /x\n")

        #expect(configuration.warnings.map(\.place.line) == [3, 4, 8])
        #expect(configuration.warnings.allSatisfy { $0.text.contains("has no effect: ") })
    }

    @Test func `a setting that nothing uses yet is read, with a warning that says what does not happen`() throws {
        let configuration = try ConfigurationSamples.load(
            """
            [pgmoneta]
            base_dir = /b
            management = 5001
            workspace = /tmp/x
            retention = 7, -, -, -
            pidfile = /run/p
            [p]
            host = h
            user = u
            wal_slot = s
            retention = 30
            """)

        #expect(configuration.server(named: "p")?.retention == RetentionPolicy(days: 30))
        #expect(configuration.warnings.map(\.place.line) == [3, 4])
        #expect(configuration.warnings.allSatisfy { $0.text.contains("has no effect in this version: ") })
        #expect(configuration.server(named: "p")?.walSlot == "s")
    }

    @Test(arguments: ["verification = 0", "create_slot = off", "metrics = 0"])
    func `a setting that asks for nothing is no warning`(line: String) throws {
        let configuration = try ConfigurationSamples.load("[pgmoneta]\nbase_dir = /b\n\(line)\n")

        #expect(configuration.warnings.isEmpty)
    }

    @Test func `secrets are not among the shown settings`() throws {
        let configuration = try ConfigurationSamples.load(
            "[pgmoneta]\nstorage_engine = s3\ns3_bucket = b\ns3_secret_access_key = hush\n"
                + "[target:t]\nurl = s3://x\nsecret_access_key = hush\n")

        #expect(!configuration.shown.contains { $0.value.contains("hush") })
        #expect(configuration.shown.filter { $0.value == "***" }.count == 2)
        #expect(!"\(configuration)".contains("hush"))
    }

    @Test func `the configuration directory comes from the environment`() {
        #expect(Configuration.standardPath(environment: [:]) == "/etc/pgmoneta/pgmoneta.conf")
        #expect(Configuration.standardPath(environment: ["PGMONETA_CONFIG_DIR": "/c/"]) == "/c/pgmoneta.conf")
        #expect(Configuration.usersPath(besideConfiguration: "/c/x.conf") == "/c/pgmoneta_users.conf")
        #expect(Configuration.usersPath(besideConfiguration: "x.conf") == "pgmoneta_users.conf")
    }
}
