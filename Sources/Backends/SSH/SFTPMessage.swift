/// An opaque name that a server gave to an open file or folder.
struct SFTPHandle: Sendable, Hashable {
    /// At most 256 bytes (draft-ietf-secsh-filexfer-02, section 6.2).
    let bytes: [UInt8]
}

/// What is asked of a server. Writes are made by `SFTPWritePacket`.
enum SFTPRequest: Sendable, Hashable {
    case open(String, SFTPOpenFlags, permissions: UInt32?)
    case close(SFTPHandle)
    case read(SFTPHandle, offset: UInt64, count: UInt32)
    case lstat(String)
    case stat(String)
    case fstat(SFTPHandle)
    case openFolder(String)
    case readFolder(SFTPHandle)
    case remove(String)
    case makeFolder(String, permissions: UInt32)
    case removeFolder(String)
    case realPath(String)
    case rename(from: String, to: String)
    case posixRename(from: String, to: String)
    case hardLink(from: String, to: String)
    case fsync(SFTPHandle)
    case statvfs(String)
    case limits

    /// The bytes to send.
    var packet: SFTPPacket {
        var packet: SFTPPacket
        switch self {
        case .open(let path, let flags, let permissions):
            packet = SFTPPacket(.open)
            packet.append(text: path)
            packet.append(flags.rawValue)
            packet.appendAttributes(permissions: permissions)
        case .close(let handle): packet = SFTPPacket(.close, handle: handle)
        case .read(let handle, let offset, let count):
            packet = SFTPPacket(.read, handle: handle)
            packet.append(offset)
            packet.append(count)
        case .lstat(let path): packet = SFTPPacket(.lstat, path: path)
        case .stat(let path): packet = SFTPPacket(.stat, path: path)
        case .fstat(let handle): packet = SFTPPacket(.fstat, handle: handle)
        case .openFolder(let path): packet = SFTPPacket(.openFolder, path: path)
        case .readFolder(let handle): packet = SFTPPacket(.readFolder, handle: handle)
        case .remove(let path): packet = SFTPPacket(.remove, path: path)
        case .makeFolder(let path, let permissions):
            packet = SFTPPacket(.makeFolder, path: path)
            packet.appendAttributes(permissions: permissions)
        case .removeFolder(let path): packet = SFTPPacket(.removeFolder, path: path)
        case .realPath(let path): packet = SFTPPacket(.realPath, path: path)
        case .rename(let from, let to):
            packet = SFTPPacket(.rename, path: from)
            packet.append(text: to)
        case .posixRename(let from, let to):
            packet = SFTPPacket(.posixRename)
            packet.append(text: from)
            packet.append(text: to)
        case .hardLink(let from, let to):
            packet = SFTPPacket(.hardLink)
            packet.append(text: from)
            packet.append(text: to)
        case .fsync(let handle):
            packet = SFTPPacket(.fsync, isSlow: true)
            packet.append(string: handle.bytes)
        case .statvfs(let path):
            packet = SFTPPacket(.statvfs)
            packet.append(text: path)
        case .limits: packet = SFTPPacket(.limits)
        }
        packet.close()
        return packet
    }
}

extension SFTPPacket {
    fileprivate init(_ type: SFTPType, path: String) {
        self.init(type, capacity: path.utf8.count + 32)
        append(text: path)
    }

    fileprivate init(_ type: SFTPType, handle: SFTPHandle) {
        self.init(type)
        append(string: handle.bytes)
    }

    fileprivate init(_ name: SFTPExtension, isSlow: Bool = false) {
        self.init(.extended, kind: name.rawValue, isSlow: isSlow)
        append(text: name.rawValue)
    }

    fileprivate mutating func appendAttributes(permissions: UInt32?) {
        append(permissions == nil ? UInt32(0) : 0x4)
        if let permissions { append(permissions) }
    }
}
