import BackupAPI

/// Decodes a file from front to back: one of ours, or one that `gzip`, `zstd`, `lz4` or `bzip2` made.
struct FileDecoder {
    private static let chunkByteCount = 256 << 10
    private let codec: any Codec
    private let progress: ProgressCounter

    init(codec: any Codec, progress: ProgressCounter) {
        self.codec = codec
        self.progress = progress
    }

    func run(_ source: SourceFile, to draft: DraftFile) async throws {
        let input = FrameBuffer(capacity: Self.chunkByteCount)
        // An encrypted file's own header says what it is; its key and every frame prove that.
        let decoding = DecodingStages([try codec.makeStreamDecoder(nil)], bufferByteCount: Self.chunkByteCount)
        while true {
            try source.fill(input)
            guard input.count > 0 else { break }
            try await input.withBytes { (bytes: RawSpan) async throws in
                try await decoding.push(bytes) { plain in try draft.write(plain) }
            }
            progress.add(byteCount: input.count)
            try Task.checkCancellation()
        }
        try decoding.finish()
    }
}
