import BackupAPI
import Testing

struct ErrorWordsTests {
    @Test(arguments: StorageError.Reason.allCases)
    func `a storage error has a code, one line and a remedy`(reason: StorageError.Reason) {
        let error = StorageError(reason, operation: .write, key: "x", target: "s3://b", detail: "HTTP 418")

        #expect(error.code == "storage-" + reason.rawValue)
        #expect(error.summary.hasPrefix("cannot write 'x' at s3://b: "))
        #expect(error.summary.hasSuffix(" (HTTP 418)"))
        #expect(error.remedy.hasSuffix("."))
        #expect(error.description == error.summary)
    }

    @Test(arguments: CodecError.Reason.allCases)
    func `a codec error has a code, one line and a remedy`(reason: CodecError.Reason) {
        let error = CodecError(reason, codec: "zstd", detail: "frame 3")

        #expect(error.code == "codec-" + reason.rawValue)
        #expect(error.summary.contains("zstd") && error.summary.hasSuffix(" (frame 3)"))
        #expect(error.remedy.hasSuffix(".") && error.retry == .never)
    }

    @Test func `a backend's own remedy goes before the usual one`() {
        let error = StorageError(.noSpace, operation: .write, target: "", remedy: "Buy a disk.")

        #expect(error.remedy == "Buy a disk.")
        #expect(error.summary == "cannot write: no space left")
    }

    @Test func `only what may pass by itself is tried again`() {
        let again = StorageError.Reason.allCases.filter {
            StorageError($0, operation: .read, target: "").retry != .never
        }

        #expect(again == [.throttled, .unavailable, .timedOut])
        #expect(
            StorageError(.throttled, operation: .read, target: "", waitAdvice: .seconds(3)).retry == .after(.seconds(3))
        )
        #expect(StorageError(.throttled, operation: .read, target: "").retry == .later)
    }
}
