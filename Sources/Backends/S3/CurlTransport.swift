import CCurl
import Synchronization

/// Whom the transport believes to be the server.
struct TransportTrust: Sendable {
    /// Whether certificate and host name are checked.
    var isVerified = true
    /// A file of trusted certificates in place of the system's; nil for the system's.
    var authorityFile: String?
}

/// Performs requests on the calling thread. Handles, and with them their connections, are used again.
final class CurlTransport: Sendable {
    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private let trust: TransportTrust
    private let idleHandles = Mutex<[CurlHandle]>([])
    private let maximumIdleHandles: Int

    /// Makes a transport that keeps up to `maximumIdleHandles` connections for later.
    init(trust: TransportTrust, maximumIdleHandles: Int) {
        self.trust = trust
        self.maximumIdleHandles = maximumIdleHandles
    }

    /// Sends a request and waits for the end of its answer.
    func perform(
        _ request: HTTPRequest, sink: (any BodySink)?, cancel: CancelFlag
    ) throws(TransportFault) -> CurlHandle.Answer {
        guard !cancel.isSet else { throw TransportFault(kind: .cancelled, words: "", wasSent: false) }
        guard CurlTransport.isReady, let handle = takeHandle() else {
            throw TransportFault(kind: .setup, words: "libcurl has no memory", wasSent: false)
        }
        let answer = try handle.perform(request, trust: trust, sink: sink, cancel: cancel)
        // A handle whose transfer failed is not kept: its connection may be in any state.
        giveBack(handle)
        return answer
    }

    /// Ends all connections that are not in use.
    func close() { idleHandles.withLock { $0.removeAll() } }

    private func takeHandle() -> CurlHandle? { idleHandles.withLock { $0.popLast() } ?? CurlHandle() }

    private func giveBack(_ handle: CurlHandle) {
        idleHandles.withLock { handles in
            if handles.count < maximumIdleHandles { handles.append(handle) }
        }
    }
}
