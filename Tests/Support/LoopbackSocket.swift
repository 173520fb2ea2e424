import Glibc

/// Sockets on 127.0.0.1. No program that is started later inherits one.
package enum LoopbackSocket {
    /// Listens on a port.
    /// - Parameter port: 0 for any that is free.
    /// - Returns: nil when the port is taken.
    package static func listen(port: Int = 0) -> (descriptor: Int32, port: Int)? {
        let descriptor = makeSocket()
        var yes: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = address(port: port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, size) }
        }
        guard bound == 0, Glibc.listen(descriptor, 64) == 0 else {
            close(descriptor)
            return nil
        }
        var length = size
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = unsafe getsockname(descriptor, $0, &length)
            }
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// Connects to a port; nil when nobody listens.
    package static func connect(port: Int) -> Int32? {
        let descriptor = makeSocket()
        var address = address(port: port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, size)
            }
        }
        guard status == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Waits until somebody listens on a port.
    /// - Throws: when nobody does within five minutes.
    package static func waitForListener(port: Int) throws {
        try Waiting.until("somebody listens on port \(port)", pause: 20) {
            guard let descriptor = connect(port: port) else { return false }
            close(descriptor)
            return true
        }
    }

    /// Ports that are free now, each with a free one 10,000 above it, which SeaweedFS takes for itself.
    package static func freePorts(_ count: Int) -> [Int] {
        var ports: [Int] = []
        while ports.count < count {
            guard let (first, port) = listen(port: Int.random(in: 12_000..<30_000)) else { continue }
            defer { close(first) }
            guard let (second, _) = listen(port: port + 10_000) else { continue }
            close(second)
            if !ports.contains(port) { ports.append(port) }
        }
        return ports
    }

    private static func makeSocket() -> Int32 {
        socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }

    private static func address(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return address
    }
}
