package import BackupAPI

extension SSHBackend {
    package func beginWrite(
        _ key: ObjectKey, options: WriteOptions
    ) async throws(StorageError) -> any UploadDriver {
        do throws(SFTPFault) {
            return try await pool.withChannel { lease throws(SFTPFault) in
                do throws(SFTPFault) {
                    try requirePlace(for: key, options, try await look(at: key, on: lease))
                    let (temporary, handle) = try await openTemporary(for: key, on: lease)
                    return SSHSink(
                        backend: self, lease: lease, key: key, isCreateOnly: options.ifAbsent, temporary: temporary,
                        handle: handle)
                } catch {
                    guard case .status(.failure, _) = error else { throw error }
                    throw await lookCloser(error, on: lease)
                }
            }
        } catch {
            throw SSHErrors.error(error, operation: .write, key: key, target: displayName)
        }
    }

    /// Says early what would make the write fail at its end.
    private func requirePlace(
        for key: ObjectKey, _ options: WriteOptions, _ look: SSHLook
    ) throws(SFTPFault) {
        if let obstacle = look.obstacle {
            throw .refused(
                .failed, detail: "'\(obstacle)' on the server is not a folder",
                remedy: "Move it away: below a target there are only folders and files, no links.")
        }
        guard let found = look.found else { return }
        if options.ifAbsent { throw .refused(.alreadyExists, detail: nil, remedy: nil) }
        if found.kind == .folder {
            throw .refused(.failed, detail: "there is a folder of that name", remedy: "Choose another name.")
        }
    }

    /// Opens a new temporary beside an object's place, and makes the folder where it is missing.
    private func openTemporary(
        for key: ObjectKey, on lease: ChannelLease
    ) async throws(SFTPFault) -> (String, SFTPHandle) {
        let folder = path(of: key).beforeLastSlash
        var lastFault = SFTPFault.unexpected("no handle")
        // Somebody who deletes may remove the empty folder, or the one it is in, before the file is there; not for ever, though.
        for attempt in 0..<16 {
            do throws(SFTPFault) {
                if attempt > 0 { try await makeFolder(folder, on: lease) }
            } catch {
                guard case .status(.noSuchFile, _) = error else { throw error }
                lastFault = error
                continue
            }
            let temporary = places.make(in: folder)
            do throws(SFTPFault) {
                let request = SFTPRequest.open(temporary, [.write, .create, .exclusive], permissions: 0o600)
                return (temporary, try await lease.channel.send(request).reply().requireHandle())
            } catch {
                lastFault = error
                switch error {
                case .status(.noSuchFile, _): places.forget(temporary)
                case .status:
                    places.forget(temporary)
                    throw error
                default:
                    // The server may have made it: it works on requests in their order.
                    lease.channel.send(.remove(temporary))
                    places.abandon(temporary)
                    throw error
                }
            }
        }
        throw lastFault
    }

    /// Finds out whether a general fault of a write means that there is no room, or that nothing may be written.
    func lookCloser(_ error: StorageError, on lease: ChannelLease) async -> StorageError {
        guard error.reason == .failed else { return error }
        return SSHErrors.closer(error, room: try? await fileSystem(of: root, on: lease))
    }

    private func lookCloser(_ fault: SFTPFault, on lease: ChannelLease) async -> SFTPFault {
        let error = await lookCloser(
            SSHErrors.error(fault, operation: .write, target: displayName), on: lease)
        return .refused(error.reason, detail: error.detail, remedy: nil)
    }
}
