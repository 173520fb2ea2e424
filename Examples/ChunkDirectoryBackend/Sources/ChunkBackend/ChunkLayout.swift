import BackupAPI
import Glibc

/// What the manifest of an object says.
struct ChunkManifest {
    /// The name of the folder with the chunks.
    let version: String
    /// Bytes of the whole object.
    let byteCount: Int
}

/// Where everything lies: the object `a/b` is the folder `d.a/o.b`, with `manifest` and `v.<version>/0`, `1`, `2` …
///
/// The letters keep the names of folders, objects and versions apart.
struct ChunkLayout: Sendable {
    /// Bytes of each chunk but the last.
    static let chunkByteCount = 1 << 20

    /// The directory of the target.
    let root: String

    /// The folder of an object.
    func folder(of key: ObjectKey) -> String {
        let folders = key.components.dropLast().map { "/d." + $0 }.joined()
        return root + folders + "/o." + key.name
    }

    /// The manifest of an object.
    func manifestPath(of key: ObjectKey) -> String { folder(of: key) + "/manifest" }

    /// The folder of a version's chunks.
    func versionPath(_ version: String, of key: ObjectKey) -> String { folder(of: key) + "/" + version }

    /// Reads an object's manifest.
    /// - Throws: `ENOENT` when there is no such object.
    func manifest(of key: ObjectKey) throws(FileFault) -> ChunkManifest { try manifest(inFolder: folder(of: key)) }

    /// Reads the manifest in an object's folder.
    func manifest(inFolder folder: String) throws(FileFault) -> ChunkManifest {
        let parts = try Files.read(folder + "/manifest").split(separator: " ")
        guard parts.count == 2, let byteCount = Int(parts[1]) else { throw FileFault(code: EBADMSG) }
        return ChunkManifest(version: String(parts[0]), byteCount: byteCount)
    }

    /// The folders above and including an object's, the uppermost first.
    func folders(of key: ObjectKey) -> [String] {
        var path = root
        var folders = [path]
        for component in key.components.dropLast() {
            path += "/d." + component
            folders.append(path)
        }
        return folders + [folder(of: key)]
    }

    /// Removes an object's folder and those above it as far as they are empty, but not the root.
    func removeEmptyFolders(of key: ObjectKey) {
        for folder in folders(of: key).dropFirst().reversed() where rmdir(folder) != 0 { return }
    }
}
