package import BackupAPI

/// Turns a file into another form in place: `x` into `x.zstd` or `x.aes`, or back.
///
/// The result is written beside the source and gets its name when it is complete and durable; only then the source goes.
/// Whatever happens before, the source is untouched and nothing new is visible.
package struct FileConversion: Sendable {
    /// What is done to the bytes.
    package enum Direction: Sendable {
        /// The codec encodes them; its suffix is added.
        case encode(any Codec)
        /// The codec decodes them; `suffix`, at the end of the name, is taken away.
        case decode(any Codec, suffix: String)
    }

    /// What became of a file.
    package struct Outcome: Sendable {
        /// The path of the result.
        package let path: String
        /// Bytes that the source had.
        package let sourceByteCount: Int
        /// Bytes that the result has.
        package let resultByteCount: Int
    }

    private let direction: Direction
    private let workers: Int
    private let progress: ProgressCounter

    /// Prepares a conversion.
    /// - Parameter workers: how many frames are encoded at once.
    package init(_ direction: Direction, workers: Int, progress: ProgressCounter) {
        self.direction = direction
        self.workers = workers
        self.progress = progress
    }

    /// Converts a file. When it returns, the result is durable, has the mode, the times and, where that is allowed, the owner of
    /// the source, and the source is gone.
    ///
    /// - Throws: `.fileUnusable`, `.fileExists`, `.noSpace`, where both files stay if the result was complete; `FileContentError` when the bytes do not decode.
    package func run(_ path: String) async throws -> Outcome {
        let source = try SourceFile(path)
        let result = try resultPath(path)
        let draft = try DraftFile(for: result)
        defer { draft.discard() }
        progress.setTotal(byteCount: source.byteCount)
        do {
            switch direction {
            case .encode(let codec):
                try await FileEncoder(codec: codec, workers: workers, progress: progress).run(source, to: draft)
            case .decode(let codec, _):
                try await FileDecoder(codec: codec, progress: progress).run(source, to: draft)
            }
        } catch let fault as CodecError {
            throw FileContentError(path: path, cause: fault)
        }
        try source.requireUnchanged()
        try draft.publish(like: source)
        // To make a large result durable takes long.
        do throws(EngineError) {
            try source.requireUnchanged()
            try source.remove()
        } catch {
            throw EngineError(
                .fileUnusable, "\(error.detail); '\(result)' is complete and holds what was read",
                remedy: "Compare the two files, then remove the one that is not needed.")
        }
        return Outcome(path: result, sourceByteCount: source.byteCount, resultByteCount: draft.byteCount)
    }

    private func resultPath(_ path: String) throws(EngineError) -> String {
        switch direction {
        case .encode(let codec): return path + codec.suffix
        case .decode(_, let suffix):
            let rest = path.utf8.dropLast(suffix.utf8.count)
            guard path.utf8.reversed().starts(with: suffix.utf8.reversed()), let last = rest.last,
                last != UInt8(ascii: "/")
            else {
                throw EngineError(
                    .fileUnusable, "the name of '\(path)' does not end with '\(suffix)'",
                    remedy: "Rename it, so that its suffix says what it is.")
            }
            return String(Substring(rest))
        }
    }
}

/// What is wrong with the content of a file that somebody named.
package struct FileContentError: Remediable, Hashable {
    /// The file.
    package let path: String
    /// What its codec says.
    package let cause: CodecError

    package var code: String { cause.code }
    package var retry: RetryAdvice { cause.retry }
    package var summary: String { "'\(path)': \(cause.summary)" }

    package var remedy: String {
        switch cause.reason {
        case .truncated, .damaged, .tooLarge: "Use another copy of the file; this one is as it was."
        case .notThisFormat: "Check what the file is; its suffix says something else than its content."
        case .keyMissing:
            "Name the master key that it was encrypted with by --master-key; objects of a repository are read by 'restore'."
        default: cause.remedy
        }
    }
}
