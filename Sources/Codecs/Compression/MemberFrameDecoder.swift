internal import BackupAPI

/// Decodes frames that are exactly one member each, with one library context for all of them.
final class MemberFrameDecoder<Member: MemberDecoder>: FrameDecoder {
    private let member: Member

    /// Decodes with `member`, which nobody else uses.
    init(_ member: Member) {
        self.member = member
    }

    func decode(_ stored: RawSpan, at position: FramePosition, into output: inout OutputRawSpan) throws(CodecError) {
        // Sound: both buffers are used only inside their closures.
        try unsafe stored.withUnsafeBytes { (frame: UnsafeRawBufferPointer) throws(CodecError) in
            try unsafe output.withUnsafeMutableBytes {
                (buffer: UnsafeMutableRawBufferPointer, count: inout Int) throws(CodecError) in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                count += try unsafe decode(frame, into: room)
            }
        }
    }

    private func decode(
        _ frame: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        try unsafe Member.checkHeader(of: frame, room: room.count)
        try member.restart()
        var consumed = 0
        var produced = 0
        var isComplete = false
        while !isComplete {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: frame[consumed...])
            let step =
                if produced < room.count {
                    try unsafe next(rest, into: UnsafeMutableRawBufferPointer(rebasing: room[produced...]))
                } else {
                    try unsafe nextWithoutRoom(rest)
                }
            consumed += step.consumed
            produced += step.produced
            isComplete = step.isComplete
            if !isComplete, step.consumed == 0, step.produced == 0 {
                throw CodecError(.truncated, codec: Member.codec)
            }
        }
        guard consumed == frame.count else {
            throw CodecError(
                .damaged, codec: Member.codec, detail: "\(frame.count - consumed) bytes behind the end of the frame")
        }
        return produced
    }

    /// Goes on when the output is full: checksums may still follow, a plain byte must not.
    private func nextWithoutRoom(_ rest: UnsafeRawBufferPointer) throws(CodecError) -> MemberStep {
        var spill: UInt8 = 0
        let step = try unsafe withUnsafeMutableBytes(of: &spill) {
            (room: UnsafeMutableRawBufferPointer) throws(CodecError) in
            try unsafe next(rest, into: room)
        }
        guard step.produced == 0 else { throw CodecError(.tooLarge, codec: Member.codec) }
        return step
    }

    /// Makes one step; in a frame of ours, bytes of another format are damage.
    private func next(
        _ rest: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> MemberStep {
        do throws(CodecError) {
            return try unsafe member.step(rest, into: room)
        } catch {
            guard error.reason == .notThisFormat else { throw error }
            throw CodecError(.damaged, codec: error.codec, detail: error.detail)
        }
    }
}
