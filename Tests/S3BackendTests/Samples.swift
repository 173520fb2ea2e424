import BackupAPI
import TestSupport

/// Bytes to store, and the long way to write and read them.
enum Samples {
    /// Bytes that do not repeat, the same for the same seed.
    static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var numbers = SeededNumbers(seed: seed)
        let words = (0..<(count + 7) / 8).map { _ in numbers.next() }
        return unsafe words.withUnsafeBytes { unsafe Array($0.prefix(count)) }
    }

    /// Hands all bytes to a driver.
    static func write(_ bytes: [UInt8], to driver: any UploadDriver) async throws {
        try await driver.write(unsafe bytes.span.bytes)
    }

    /// Reads to the end.
    static func read(_ reader: any ObjectReader) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 300_000, alignment: 16)
        defer { unsafe buffer.deallocate() }
        while true {
            var room = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
            let count = try await reader.read(into: &room)
            let filled = unsafe room.finalize(for: buffer)
            if count == 0 { return bytes }
            unsafe bytes.append(contentsOf: buffer[..<filled])
        }
    }
}
