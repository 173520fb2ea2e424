/// How long one call to a driver may take before it is given up. Waiting for a slot or for bandwidth does not count.
package struct TimeLimits: Sendable, Hashable {
    /// For calls that look at one thing: `stat`, `openRead`, `beginWrite`, free room, the clock, the end of a stream.
    package var lookup: Duration
    /// For each chunk of a stream, and each page of a listing. A chunk may wait until a part of many megabytes is sent.
    package var chunk: Duration
    /// For calls that work on many bytes or objects: `commit`, `delete`, `sweepUnfinished`. Completing a multipart upload
    /// may take "several minutes" (Amazon S3 API Reference, CompleteMultipartUpload).
    package var completion: Duration

    /// Makes limits.
    package init(
        lookup: Duration = .seconds(60), chunk: Duration = .seconds(300), completion: Duration = .seconds(900)
    ) {
        self.lookup = lookup
        self.chunk = chunk
        self.completion = completion
    }

    /// The limit of a call.
    func limit(of call: StorageCall) -> Duration {
        switch call.kind {
        case .stat, .openRead, .beginWrite, .free, .clock, .end: lookup
        case .read, .write, .list: chunk
        case .commit, .delete, .sweep: completion
        }
    }

    /// How often it is worth looking whether a call is over its limit.
    var checkInterval: Duration { min(.seconds(1), min(lookup, min(chunk, completion)) / 4) }
}
