/// Message types of SFTP version 3 (draft-ietf-secsh-filexfer-02, section 3).
enum SFTPType: UInt8, Sendable, Hashable {
    case initialize = 1
    case version = 2
    case open = 3
    case close = 4
    case read = 5
    case write = 6
    case lstat = 7
    case fstat = 8
    case openFolder = 11
    case readFolder = 12
    case remove = 13
    case makeFolder = 14
    case removeFolder = 15
    case realPath = 16
    case stat = 17
    case rename = 18
    case status = 101
    case handle = 102
    case data = 103
    case name = 104
    case attributes = 105
    case extended = 200
    case extendedReply = 201
}

/// Status codes of SFTP version 3 (draft-ietf-secsh-filexfer-02, section 7).
enum SFTPStatus: UInt32, Sendable, Hashable, CaseIterable {
    case ok = 0
    case endOfFile = 1
    case noSuchFile = 2
    case permissionDenied = 3
    case failure = 4
    case badMessage = 5
    case noConnection = 6
    case connectionLost = 7
    case unsupported = 8

    /// The name in the draft, for people who look it up.
    var name: String {
        switch self {
        case .ok: "SSH_FX_OK"
        case .endOfFile: "SSH_FX_EOF"
        case .noSuchFile: "SSH_FX_NO_SUCH_FILE"
        case .permissionDenied: "SSH_FX_PERMISSION_DENIED"
        case .failure: "SSH_FX_FAILURE"
        case .badMessage: "SSH_FX_BAD_MESSAGE"
        case .noConnection: "SSH_FX_NO_CONNECTION"
        case .connectionLost: "SSH_FX_CONNECTION_LOST"
        case .unsupported: "SSH_FX_OP_UNSUPPORTED"
        }
    }
}

/// How a file is opened (draft-ietf-secsh-filexfer-02, section 6.3).
struct SFTPOpenFlags: OptionSet, Sendable, Hashable {
    let rawValue: UInt32

    static let read = SFTPOpenFlags(rawValue: 0x01)
    static let write = SFTPOpenFlags(rawValue: 0x02)
    static let create = SFTPOpenFlags(rawValue: 0x08)
    static let exclusive = SFTPOpenFlags(rawValue: 0x20)
}

/// Extensions of OpenSSH that are used where a server offers them (OpenSSH's PROTOCOL file, section 4).
enum SFTPExtension: String, Sendable, Hashable, CaseIterable {
    case posixRename = "posix-rename@openssh.com"
    case hardLink = "hardlink@openssh.com"
    case fsync = "fsync@openssh.com"
    case statvfs = "statvfs@openssh.com"
    case limits = "limits@openssh.com"
}
