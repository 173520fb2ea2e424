import CLibpq

extension ConnectionSettings {
    private static let secondsToWait = 5

    /// Whether a server answers there and takes connections, whether or not the role may log in (`PQpingParams`). Blocks the
    /// thread for some seconds at most.
    package func isAnswered() -> Bool {
        let parameters = parameters(isReplication: false) + [("connect_timeout", "\(Self.secondsToWait)")]
        return unsafe withCStrings(parameters.map(\.keyword)) { keywords in
            unsafe withCStrings(parameters.map(\.value)) { values in unsafe PQpingParams(keywords, values, 0) }
        } == PQPING_OK
    }
}
