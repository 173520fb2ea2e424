import CCurl

/// One easy handle of libcurl with its connections. One thread at a time uses it; the pool hands it on.
@safe final class CurlHandle: @unchecked Sendable {
    private let handle: UnsafeMutableRawPointer
    private let words: UnsafeMutablePointer<CChar>

    /// Makes a handle; nil when the library has no memory.
    init?() {
        guard let handle = unsafe curl_easy_init() else { return nil }
        unsafe self.handle = unsafe handle
        unsafe words = .allocate(capacity: Int(CURL_ERROR_SIZE))
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe words.deallocate()
    }

    /// Sends a request and takes its answer.
    func perform(
        _ request: HTTPRequest, trust: TransportTrust, sink: (any BodySink)?, cancel: CancelFlag
    ) throws(TransportFault) -> Answer {
        let body = request.body
        // Sound: `request` keeps the block alive until this function returns.
        let bytes = unsafe body?.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0)
        let transfer = unsafe Transfer(body: bytes, sink: sink, cancel: cancel)
        unsafe curl_easy_reset(handle)
        unsafe words.pointee = 0
        setAddress(request)
        setTrust(trust, isDirect: request.isDirect)
        setCallbacks(transfer)
        let list = unsafe setHeaders(request.headers)
        defer { unsafe curl_slist_free_all(list) }
        let code = withExtendedLifetime((transfer, body)) { unsafe curl_easy_perform(handle) }
        if code == CURLE_OK || (code == CURLE_WRITE_ERROR && transfer.wasStopped) {
            return Answer(response: transfer.response, errorBody: transfer.errorBody)
        }
        throw fault(code, wasSent: transfer.isSent)
    }

    /// An answer with the body of an error, where it is one.
    struct Answer {
        var response: HTTPResponse
        var errorBody: [UInt8]
    }

    private func setAddress(_ request: HTTPRequest) {
        unsafe curl_set_text(handle, CURLOPT_URL, request.url)
        unsafe curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        unsafe curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0)
        unsafe curl_set_long(handle, CURLOPT_PATH_AS_IS, 1)
        unsafe curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        // One connection a transfer: several streams in one are slower for bulk data.
        unsafe curl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        unsafe curl_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1)
        unsafe curl_set_long(handle, CURLOPT_BUFFERSIZE, 512 << 10)
        unsafe curl_set_long(handle, CURLOPT_UPLOAD_BUFFERSIZE, 1 << 20)
        unsafe curl_set_long(handle, CURLOPT_CONNECTTIMEOUT, request.limits.connectSeconds)
        unsafe curl_set_long(handle, CURLOPT_LOW_SPEED_LIMIT, 1)
        unsafe curl_set_long(handle, CURLOPT_LOW_SPEED_TIME, request.limits.idleSeconds)
        unsafe curl_set_long(handle, CURLOPT_TIMEOUT, request.limits.totalSeconds)
        if request.isDirect { unsafe curl_set_text(handle, CURLOPT_NOPROXY, "*") }
        switch request.method {
        case "GET": unsafe curl_set_long(handle, CURLOPT_HTTPGET, 1)
        case "HEAD": unsafe curl_set_long(handle, CURLOPT_NOBODY, 1)
        default:
            // A body of no bytes is announced as such, which S3 wants of a POST.
            unsafe curl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method)
            if request.body != nil || request.method != "DELETE" {
                unsafe curl_set_long(handle, CURLOPT_UPLOAD, 1)
                unsafe curl_set_offset(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(request.body?.count ?? 0))
            }
        }
    }

    private func setTrust(_ trust: TransportTrust, isDirect: Bool) {
        unsafe curl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        unsafe curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, trust.isVerified ? 1 : 0)
        unsafe curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, trust.isVerified ? 2 : 0)
        if let file = trust.authorityFile { unsafe curl_set_text(handle, CURLOPT_CAINFO, file) }
    }

    private func setHeaders(_ headers: [(name: String, value: String)]) -> UnsafeMutablePointer<curl_slist>? {
        // `Expect` would cost a round trip for each object; the defaults of `Accept` and `Content-Type` say nothing.
        var list = unsafe curl_slist_append(nil, "Expect:")
        unsafe list = curl_slist_append(list, "Accept:")
        for header in headers {
            // A header without a value is written with `;`, else libcurl would remove it.
            let line = header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)"
            unsafe list = curl_slist_append(list, line)
        }
        unsafe curl_set_list(handle, CURLOPT_HTTPHEADER, list)
        unsafe curl_set_text(handle, CURLOPT_USERAGENT, "pgmoneta")
        return unsafe list
    }

    private func setCallbacks(_ transfer: Transfer) {
        // Sound: `perform` keeps the transfer alive, and no callback runs after it.
        let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        unsafe curl_set_pointer(handle, CURLOPT_ERRORBUFFER, words)
        unsafe curl_set_pointer(handle, CURLOPT_READDATA, context)
        unsafe curl_set_data_function(handle, CURLOPT_READFUNCTION) { room, size, count, context in
            guard let transfer = unsafe CurlHandle.transfer(context) else { return Int(CURL_READFUNC_ABORT) }
            return unsafe transfer.send(into: UnsafeMutableRawBufferPointer(start: room, count: size * count))
        }
        unsafe curl_set_pointer(handle, CURLOPT_SEEKDATA, context)
        unsafe curl_set_rewind_function(handle) { context, offset, origin in
            guard origin == 0, let transfer = unsafe CurlHandle.transfer(context) else { return CURL_SEEKFUNC_FAIL }
            transfer.rewind(to: Int(offset))
            return CURL_SEEKFUNC_OK
        }
        unsafe curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        unsafe curl_set_data_function(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            unsafe CurlHandle.transfer(context)?.takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }
        unsafe curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        unsafe curl_set_data_function(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            let run = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
            guard let transfer = unsafe CurlHandle.transfer(context), unsafe transfer.takeBody(run) else { return 0 }
            return size * count
        }
        unsafe curl_set_long(handle, CURLOPT_NOPROGRESS, 0)
        unsafe curl_set_pointer(handle, CURLOPT_XFERINFODATA, context)
        unsafe curl_set_progress_function(handle) { context, _, _, _, _ in
            unsafe CurlHandle.transfer(context)?.isToBeStopped == true ? 1 : 0
        }
    }

    @unsafe private static func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    private func fault(_ code: CURLcode, wasSent: Bool) -> TransportFault {
        let kind: TransportFault.Kind =
            switch code {
            case CURLE_ABORTED_BY_CALLBACK: .cancelled
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT: .unreachable
            case CURLE_OPERATION_TIMEDOUT: .timedOut
            case CURLE_PEER_FAILED_VERIFICATION: .identity
            case CURLE_SSL_CACERT_BADFILE, CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL,
                CURLE_UNKNOWN_OPTION, CURLE_NOT_BUILT_IN:
                .setup
            default: .broken
            }
        let native = unsafe String(cString: words)
        let text = unsafe native.isEmpty ? String(cString: curl_easy_strerror(code)) : native
        return TransportFault(kind: kind, words: text, wasSent: wasSent && kind != .unreachable)
    }
}
