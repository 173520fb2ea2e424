public import BackupAPI
import Glibc

/// Keeps each object as a folder of chunk files with a manifest, below a directory: `chunks:///path`.
///
/// A new version is written into a folder of its own; the object is what the manifest names, and the manifest is put in
/// place in one step. So nobody sees half an object.
public final class ChunkBackend: StorageBackend {
    /// What a program adds to its kit.
    public static var factory: BackendFactory {
        BackendFactory(scheme: "chunks") { (settings) throws(StorageError) in
            let path = settings.location.path
            guard settings.location.host.isEmpty, path.count > 1 else {
                throw StorageError(
                    .misconfigured, operation: .open, target: settings.location.description,
                    detail: "a path is needed", remedy: "Write the target as chunks:///path, with three slashes.")
            }
            return ChunkBackend(path: path)
        }
    }

    public let displayName: String
    public let capabilities = Capabilities(
        durability: .durable, hasAtomicCreate: true, hasAtomicReplace: true, usefulConcurrency: 2)
    private let layout: ChunkLayout

    /// Makes a backend for a directory, which the first write makes.
    public init(path: String) {
        layout = ChunkLayout(root: path)
        displayName = "chunks://" + path
    }

    public func stat(_ key: ObjectKey) async throws(StorageError) -> ObjectInfo {
        do throws(FileFault) {
            return ObjectInfo(key: key, byteCount: try layout.manifest(of: key).byteCount)
        } catch {
            throw translate(error, .stat, key)
        }
    }

    public func openRead(_ key: ObjectKey, range: ByteRange?) async throws(StorageError) -> any ObjectReader {
        do throws(FileFault) {
            return ChunkSource(layout, key, manifest: try layout.manifest(of: key), range: range, target: displayName)
        } catch {
            throw translate(error, .read, key)
        }
    }

    public func beginWrite(_ key: ObjectKey, options: WriteOptions) async throws(StorageError) -> any UploadDriver {
        do throws(FileFault) {
            return try ChunkSink(layout, key, ifAbsent: options.ifAbsent, target: displayName)
        } catch {
            throw translate(error, .write, key)
        }
    }

    public func list(_ request: ListRequest) async throws(StorageError) -> ListPage {
        do throws(FileFault) {
            var listing = ChunkListing(layout, request)
            return try listing.page()
        } catch {
            throw translate(error, .list)
        }
    }

    public func delete(_ keys: [ObjectKey]) async throws(StorageError) -> [ObjectKey: StorageError] {
        var refused: [ObjectKey: StorageError] = [:]
        for key in keys {
            do throws(FileFault) {
                let manifest = try layout.manifest(of: key)
                // Without its manifest the object is gone; its chunks follow.
                try FileFault.check(unlink(layout.manifestPath(of: key)))
                try Files.sync(layout.folder(of: key))
                Files.removeFolder(layout.versionPath(manifest.version, of: key))
                layout.removeEmptyFolders(of: key)
            } catch {
                if error.code != ENOENT { refused[key] = translate(error, .delete, key) }
            }
        }
        return refused
    }

    public func sweepUnfinished(prefix: String) async throws(StorageError) -> Int {
        do throws(FileFault) {
            return try ChunkSweep(layout, prefix: prefix).run()
        } catch {
            throw translate(error, .delete)
        }
    }

    public func freeByteCount() async throws(StorageError) -> Int? { nil }

    public func close() async {}

    private func translate(
        _ fault: FileFault, _ operation: StorageError.Operation, _ key: ObjectKey? = nil
    ) -> StorageError {
        ChunkErrors.error(fault, operation, key, target: displayName)
    }
}
