import Testing

@testable import S3Backend

struct XMLTests {
    @Test func `elements, entities, character data and comments are read`() throws {
        let text = """
            \u{FEFF}<?xml version="1.0" encoding="UTF-8"?>
            <!-- before --><s:Root xmlns:s='http://x/?a>b' a="1>2"><Key>a&amp;b&#x20;&#99;&lt;&gt;&quot;&apos;</Key>
            <Empty/><Key><![CDATA[<raw>&]]></Key><Deep><Key>x</Key></Deep></s:Root>
            """

        let root = try XMLElement(document: Array(text.utf8))

        #expect(root.name == "Root")
        #expect(root.children(named: "Key").map(\.text) == ["a&b c<>\"'", "<raw>&"])
        #expect(root.child("Empty")?.text == "")
        #expect(root.child("Deep")?.text(of: "Key") == "x")
    }

    @Test(arguments: [
        "", "   ", "text", "<", "<a", "<a>", "<a></b>", "<a><b></a></b>", "<a/><b/>", "<a>&unknown;</a>", "<a>&amp</a>",
        "<a>&#xD800;</a>", "<a>&#x110000;</a>", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "<a><![CDATA[x]]</a>",
        "<a><!-- x </a>", "<a>x</a>y", "<a b='>", "<a <b>></a>", "</a>", "< a/>", "<?xml", "<![CDATA[x]]><a/>",
        "<a></a",
    ])
    func `what is not well formed is refused`(text: String) {
        #expect(throws: XMLFault.self) { try XMLElement(document: Array(text.utf8)) }
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        #expect(throws: XMLFault.self) { try XMLElement(document: Array("<a>".utf8) + [0xFF] + Array("</a>".utf8)) }
    }

    @Test func `more than 32 levels are refused`() throws {
        func nested(_ count: Int) -> [UInt8] {
            Array((String(repeating: "<a>", count: count) + String(repeating: "</a>", count: count)).utf8)
        }

        #expect(throws: Never.self) { try XMLElement(document: nested(32)) }
        #expect(throws: XMLFault.self) { try XMLElement(document: nested(33)) }
    }

    @Test func `no cut or changed byte of a document makes the parser fail otherwise than by refusing`() {
        let text = Array("<?xml version='1.0'?><A x=\"y\"><B>a&amp;b</B><!-- c --><C/><D><![CDATA[d]]></D></A>".utf8)
        for index in text.indices {
            #expect(throws: XMLFault.self) { try XMLElement(document: Array(text[..<index])) }
            for byte in ["<", ">", "&", "/", "'", "\u{0}"] {
                var changed = text
                changed[index] = byte.utf8.first ?? 0
                _ = try? XMLElement(document: changed)
            }
        }
    }

    @Test func `escaped text is read back`() throws {
        let text = "a&b<c>d\"e'ä"

        let root = try XMLElement(document: Array("<a>\(XMLElement.escape(text))</a>".utf8))

        #expect(root.text == text)
    }

    @Test func `a page of a listing is read`() throws {
        let text = """
            <ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
            <NextContinuationToken>t/1</NextContinuationToken>
            <Contents><Key>a%2Bb+c</Key><Size>12</Size></Contents>
            <CommonPrefixes><Prefix>d%25/</Prefix></CommonPrefixes></ListBucketResult>
            """

        let page = try BucketPage(try XMLElement(document: Array(text.utf8)))

        #expect(
            page
                == BucketPage(
                    objects: [.init(path: "a+b c", byteCount: 12)], folders: [.init(path: "d%/")], token: "t/1"))
    }

    @Test(arguments: [
        "<Other/>", "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><CommonPrefixes><Prefix>a</Prefix></CommonPrefixes></ListBucketResult>",
    ])
    func `a listing that cannot be right is refused`(text: String) throws {
        let document = try XMLElement(document: Array(text.utf8))

        #expect(throws: S3Fault.self) { try BucketPage(document) }
    }
}
