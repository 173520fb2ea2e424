/// What a server tells of a file (draft-ietf-secsh-filexfer-02, section 5).
struct SFTPAttributes: Sendable, Hashable {
    /// In bytes.
    var byteCount: UInt64?
    /// The mode of `stat(2)`: type and permission bits.
    var permissions: UInt32?
    /// When its content changed, in seconds since 1970 by the server's clock.
    var modificationTime: UInt32?

    /// What kind of file it is.
    enum Kind: Sendable, Hashable {
        case regular, folder, other
        /// The server did not tell.
        case unknown
    }

    /// What kind of file it is, by the type bits of the mode (`stat(2)`: `S_IFMT`).
    var kind: Kind {
        guard let permissions, permissions & 0o170000 != 0 else { return .unknown }
        switch permissions & 0o170000 {
        case 0o100000: return .regular
        case 0o040000: return .folder
        default: return .other
        }
    }

    /// Makes attributes.
    init(byteCount: UInt64? = nil, permissions: UInt32? = nil, modificationTime: UInt32? = nil) {
        self.byteCount = byteCount
        self.permissions = permissions
        self.modificationTime = modificationTime
    }

    /// Reads attributes at the cursor.
    init(from cursor: inout SFTPCursor) throws(SFTPMalformed) {
        let flags = try cursor.uint32()
        if flags & 0x1 != 0 { byteCount = try cursor.uint64() }
        if flags & 0x2 != 0 {
            _ = try cursor.uint32()
            _ = try cursor.uint32()
        }
        if flags & 0x4 != 0 { permissions = try cursor.uint32() }
        if flags & 0x8 != 0 {
            _ = try cursor.uint32()
            modificationTime = try cursor.uint32()
        }
        if flags & 0x8000_0000 != 0 {
            // Each turn takes at least eight bytes or throws, so a false count cannot turn for long.
            for _ in 0..<(try cursor.uint32()) {
                _ = try cursor.string()
                _ = try cursor.string()
            }
        }
    }
}

/// One line of a folder.
struct SFTPName: Sendable, Hashable {
    /// The name's bytes, without the folder.
    let bytes: [UInt8]
    /// What the server tells of it; OpenSSH's server does not follow symbolic links here.
    let attributes: SFTPAttributes
}

/// Room of a file system, from `statvfs@openssh.com`.
struct SFTPFileSystem: Sendable, Hashable {
    /// Bytes that this identity may still use.
    let availableByteCount: Int
    /// Whether no more files can be made.
    let isOutOfFiles: Bool
    /// Whether nothing can be written.
    let isReadOnly: Bool

    /// Reads the reply (OpenSSH's PROTOCOL file, section 4.4): block size, fragment size, counts of blocks and of files,
    /// an identifier, flags.
    init(_ bytes: ArraySlice<UInt8>) throws(SFTPMalformed) {
        var cursor = SFTPCursor(bytes)
        _ = try cursor.uint64()
        let fragment = try cursor.uint64()
        _ = try cursor.uint64()
        _ = try cursor.uint64()
        let available = try cursor.uint64()
        let (product, overflow) = fragment.multipliedReportingOverflow(by: available)
        availableByteCount = overflow ? Int.max : Int(clamping: product)
        let allFiles = try cursor.uint64()
        _ = try cursor.uint64()
        // File systems without a fixed number of files say 0 of 0.
        isOutOfFiles = try cursor.uint64() == 0 && allFiles > 0
        _ = try cursor.uint64()
        isReadOnly = try cursor.uint64() & 1 != 0
    }
}
