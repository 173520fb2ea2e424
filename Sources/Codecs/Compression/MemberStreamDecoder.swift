internal import BackupAPI

/// Decodes members one after the other until the input ends, as `gzip -dc` and its relatives do.
final class MemberStreamDecoder<Member: MemberDecoder>: StreamDecoder {
    private let member: Member
    private var isInsideMember = false
    private var completeMembers = 0
    private var failure: CodecError?

    /// Decodes with `member`, which nobody else uses.
    init(_ member: Member) {
        self.member = member
    }

    func decode(_ input: RawSpan, into output: inout OutputRawSpan) throws(CodecError) -> StreamStep {
        if let failure { throw failure }
        do throws(CodecError) {
            // Sound: both buffers are used only inside their closures.
            return try unsafe input.withUnsafeBytes { (source: UnsafeRawBufferPointer) throws(CodecError) in
                try unsafe output.withUnsafeMutableBytes {
                    (buffer: UnsafeMutableRawBufferPointer, count: inout Int) throws(CodecError) in
                    try unsafe decode(source, into: buffer, count: &count)
                }
            }
        } catch {
            failure = error
            throw error
        }
    }

    func finish() throws(CodecError) {
        if let failure { throw failure }
        guard !isInsideMember, completeMembers > 0 else { throw CodecError(.truncated, codec: Member.codec) }
    }

    private func decode(
        _ source: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer, count: inout Int
    ) throws(CodecError) -> StreamStep {
        var consumed = 0
        while true {
            if !isInsideMember {
                guard consumed < source.count else { return StreamStep(consumed: consumed, hasMoreOutput: false) }
                try member.restart()
                isInsideMember = true
            }
            let rest = unsafe UnsafeRawBufferPointer(rebasing: source[consumed...])
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let step = try unsafe next(rest, into: room)
            consumed += step.consumed
            count += step.produced
            if step.isComplete {
                isInsideMember = false
                completeMembers += 1
                continue
            }
            if count == buffer.count { return StreamStep(consumed: consumed, hasMoreOutput: true) }
            if consumed == source.count { return StreamStep(consumed: consumed, hasMoreOutput: false) }
            guard step.consumed > 0 || step.produced > 0 else {
                throw CodecError(.failed, codec: Member.codec, detail: "no progress")
            }
        }
    }

    /// Makes one step; bytes of another format behind a complete member are damage.
    private func next(
        _ rest: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> MemberStep {
        do throws(CodecError) {
            return try unsafe member.step(rest, into: room)
        } catch {
            guard error.reason == .notThisFormat, completeMembers > 0 else { throw error }
            throw CodecError(.damaged, codec: error.codec, detail: "other bytes behind the end")
        }
    }
}
