import BackupAPI
import Codecs
import Testing

struct CryptographyTests {
    let cryptography = OpenSSLCryptography()

    @Test(arguments: DigestAlgorithm.allCases) func `digests are those of openssl`(algorithm: DigestAlgorithm) throws {
        for bytes in [[], CodecTestKit.text(1), CodecTestKit.text(1_000_000)] {
            let digest = cryptography.makeDigest(algorithm)
            unsafe digest.update(Array(bytes.prefix(77)).span.bytes)
            unsafe digest.update(Array(bytes.dropFirst(77)).span.bytes)

            let expected = try OracleTool.run("openssl", ["dgst", "-\(algorithm.rawValue)", "-binary"], input: bytes)
            #expect(digest.finish() == expected)
        }
    }

    @Test(arguments: [
        (
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            "4a656665", "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            String(repeating: "aa", count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func `HMAC gives the codes of RFC 4231`(key: String, message: String, code: String) {
        let made = cryptography.authenticationCode(key: Secret(CodecTestKit.hex(key)), message: Array(message.utf8))

        #expect(CodecTestKit.hex(made) == code)
    }

    @Test func `HMAC takes an empty key and an empty message`() {
        let made = cryptography.authenticationCode(key: Secret([]), message: [])

        #expect(CodecTestKit.hex(made) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test(
        arguments: [
            (
                Array(repeating: 0x0B, count: 22), Array(0...0x0C), Array(0xF0...0xF9),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
            ),
            (
                Array(0...0x4F), Array(0x60...0xAF), Array(0xB0...0xFF),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                    + "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
            ),
            (
                Array(repeating: 0x0B, count: 22), [], [],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
            ),
        ] as [([UInt8], [UInt8], [UInt8], String)])
    func `HKDF gives the keys of RFC 5869`(secret: [UInt8], salt: [UInt8], info: [UInt8], key: String) throws {
        let made = try cryptography.deriveKey(
            from: Secret(secret), salt: salt, info: info, byteCount: key.utf8.count / 2)

        #expect(CodecTestKit.hex(made.reveal()) == key)
    }

    @Test func `scrypt gives the key of RFC 7914`() throws {
        let made = try cryptography.deriveKey(
            fromPassphrase: Secret("pleaseletmein"), salt: Array("SodiumChloride".utf8), cost: 16384, byteCount: 64)

        #expect(
            CodecTestKit.hex(made.reveal())
                == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887")
    }

    @Test func `scrypt takes a cost beyond the library's own memory limit`() throws {
        let made = try cryptography.deriveKey(
            fromPassphrase: Secret("a"), salt: [1], cost: 1 << 17, byteCount: 32)

        #expect(made.reveal().count == 32)
    }

    @Test(arguments: [0, 1, 3, 1000, 1 << 23, -2]) func `scrypt refuses a cost that makes no sense`(cost: Int) throws {
        let error = #expect(throws: CodecError.self) {
            try cryptography.deriveKey(fromPassphrase: Secret("a"), salt: [1], cost: cost, byteCount: 32)
        }

        #expect(error?.reason == .misconfigured)
    }

    @Test func `a sealed secret comes back, only whole and only with its key and its associated bytes`() throws {
        let key = Secret(Array(0..<32))
        for plain in [Secret([]), Secret("password"), Secret(CodecTestKit.text(5000))] {
            let sealed = try cryptography.seal(plain, key: key, associated: [1, 2])

            #expect(try cryptography.open(sealed, key: key, associated: [1, 2]) == plain)
            for byte in [0, 11, 12, sealed.count - 1] {
                var altered = sealed
                altered[byte] ^= 1
                #expect(reason { try cryptography.open(altered, key: key, associated: [1, 2]) } == .notAuthentic)
            }
            #expect(reason { try cryptography.open(sealed, key: key, associated: []) } == .notAuthentic)
            let otherKey = Secret(Array(1..<33))
            #expect(reason { try cryptography.open(sealed, key: otherKey, associated: [1, 2]) } == .notAuthentic)
            #expect(reason { try cryptography.open(Array(sealed.prefix(27)), key: key, associated: []) } == .truncated)
        }
    }

    @Test func `what is sealed twice differs`() throws {
        let key = Secret(Array(0..<32))

        let first = try cryptography.seal(Secret("a"), key: key, associated: [])
        let second = try cryptography.seal(Secret("a"), key: key, associated: [])

        #expect(first != second)
    }

    @Test func `a key of another length does not seal`() throws {
        #expect(reason { try cryptography.seal(Secret("a"), key: Secret([1]), associated: []) } == .misconfigured)
    }

    /// Test case 16 of "The Galois/Counter Mode of Operation" (McGrew and Viega), which NIST took over.
    @Test func `AES-256-GCM opens the published vector`() throws {
        let key = Secret(CodecTestKit.hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"))
        let sealed = CodecTestKit.hex(
            "cafebabefacedbaddecaf888 522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662 76fc6ece0f4e1768cddf8853bb2d551b")

        let plain = try cryptography.open(
            sealed, key: key, associated: CodecTestKit.hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"))

        #expect(
            CodecTestKit.hex(plain.reveal())
                == "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
    }

    @Test func `random bytes are as many as asked for, and others each time`() throws {
        #expect(try cryptography.randomBytes(0) == [])
        #expect(try cryptography.randomBytes(32).count == 32)
        #expect(try cryptography.randomBytes(32) != cryptography.randomBytes(32))
    }

    private func reason(_ body: () throws -> some Sendable) -> CodecError.Reason? {
        do { _ = try body() } catch { return (error as? CodecError)?.reason }
        return nil
    }
}
