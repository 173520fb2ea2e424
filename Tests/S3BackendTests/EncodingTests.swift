import Testing

@testable import S3Backend

struct EncodingTests {
    @Test(arguments: [
        ("a/b c", "a/b%20c"), ("%+&='\"<>", "%25%2B%26%3D%27%22%3C%3E"), ("ä/😀~-._", "%C3%A4/%F0%9F%98%80~-._"),
    ])
    func `keys are percent-encoded by bytes in a path`(key: String, expected: String) {
        #expect(URIEncoding.encode(key, keepingSlashes: true) == expected)
    }

    @Test func `a slash is encoded in a query`() {
        #expect(URIEncoding.encode("a/b") == "a%2Fb")
    }

    @Test(arguments: [
        ("a+b", "a b"), ("a%2Bb%20c", "a+b c"), ("%c3%A4", "ä"), ("%", nil), ("%4", nil), ("%zz", nil), ("%FF", nil),
    ])
    func `names of a listing are decoded or refused`(text: String, expected: String?) {
        #expect(URIEncoding.decodeForm(text) == expected)
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")])
    func `base64 follows RFC 4648`(text: String, expected: String) {
        #expect(Base64.encode(Array(text.utf8)) == expected)
    }

    @Test(arguments: [
        (0, "19700101T000000Z"), (951_782_399, "20000228T235959Z"), (951_782_400, "20000229T000000Z"),
        (1_369_353_600, "20130524T000000Z"), (4_107_542_400, "21000301T000000Z"),
    ])
    func `a moment is written as the calendar has it`(seconds: Int, expected: String) {
        #expect(Timestamp(seconds: seconds).basicISO8601 == expected)
    }

    @Test func `dates of listings and of headers are read`() {
        #expect(Timestamp(iso8601: "2013-05-24T00:00:00.000Z")?.seconds == 1_369_353_600)
        #expect(Timestamp(httpDate: "Fri, 24 May 2013 00:00:00 GMT")?.seconds == 1_369_353_600)
        #expect(Timestamp(iso8601: "2013-05-24") == nil)
        #expect(Timestamp(httpDate: "Fri, 99 May 2013 00:00:00 GMT") == nil)
    }

    @Test func `a range of an answer is read or refused`() {
        #expect(ContentRange("bytes 5-9/100")?.offset == 5)
        #expect(ContentRange("bytes 5-9/100")?.objectByteCount == 100)
        for text in ["bytes 9-5/100", "bytes 5-9/*", "bytes 5-9/9", "items 5-9/100", "bytes */100", ""] {
            #expect(ContentRange(text) == nil)
        }
    }

    @Test func `strings of a JSON object are read or refused`() {
        let text = #"{"Code" : "Suc\u0063ess\n", "Number":12.5,"Null":null, "Token":"a\/b\"" }"#
        #expect(
            JSONStrings.parse(Array(text.utf8)) == ["Code": "Success\n", "Token": "a/b\""])
        for text in ["", "{", "[]", #"{"a"}"#, #"{"a":"b""#, #"{"a":{"b":"c"}}"#, #"{"a":"\x"}"#, #"{"a":"b",}"#] {
            #expect(JSONStrings.parse(Array(text.utf8)) == nil, "\(text)")
        }
    }
}
