package import BackupAPI
import Synchronization

/// A piece of a stream on its way through the pipe, with the memory for its plain and its stored form.
///
/// Before encoding one task holds it; afterwards the targets' writers share it for reading, and the last one gives it back.
package final class Frame: @unchecked Sendable {
    // Sound: `stream`, `object`, `position`, `number` and the buffers change only while one task holds the frame.
    /// The plain bytes.
    package let plain: FrameBuffer
    /// The encoded bytes.
    package let stored: FrameBuffer
    /// Which stream it belongs to.
    package var stream: FrameStream?
    /// The volume it is part of, as the codecs see it.
    package var object: ChainObject?
    /// Counts the stream's frames from 0.
    package var number = 0
    /// Where it stands in its volume.
    package var position = FramePosition(index: 0, isLast: false)
    /// CRC-32C of the stored bytes.
    package var storedChecksum: UInt32 = 0
    private let readers = Atomic<Int>(0)

    /// Allocates both buffers.
    package init(plainByteCount: Int, storedByteCount: Int) {
        plain = FrameBuffer(capacity: plainByteCount)
        stored = FrameBuffer(capacity: storedByteCount)
    }

    /// Says how many readers will release the frame.
    package func share(with count: Int) { readers.store(count, ordering: .releasing) }

    /// Says that one reader is done.
    /// - Returns: whether it was the last one.
    package func release() -> Bool { readers.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}
