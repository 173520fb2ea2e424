import BackupAPI
import BackupConformance
import Testing

/// The conformance list finds what is wrong with a codec: a toy that is right, and the same toy with one defect at a time.
struct BrokenCodecTests {
    @Test func `a right codec keeps every law`() {
        #expect(violations(.compression, nil) == [])
    }

    @Test(arguments: [
        (ToyCodec.Defect.losesTheLastByte, "round-trip"), (.forgetsSmallBuffers, "round-trip"),
        (.saysFailedWhenTooLarge, "output-is-bounded"), (.acceptsTruncation, "truncation-is-found"),
        (.finishesAnyTime, "truncation-is-found"), (.acceptsDamage, "damage-is-found"),
        (.acceptsTrailingBytes, "trailing-bytes-are-refused"),
    ])
    func `a defect is found by its law`(defect: ToyCodec.Defect, law: String) {
        #expect(violations(.compression, defect).contains { $0.law == law })
    }

    @Test func `an encryption that does not bind frames to their places is found`() {
        let broken = violations(.encryption, nil).filter { $0.law == "order-is-kept" }

        #expect(broken.count == 3)
    }

    private func violations(_ kind: CodecFactory.Kind, _ defect: ToyCodec.Defect?) -> [CodecConformance.Violation] {
        CodecConformance(kind: kind, frameByteCount: 2000) { () throws(CodecError) in ToyCodec(defect: defect) }
            .violations()
    }
}
