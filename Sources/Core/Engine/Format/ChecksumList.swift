/// `backup.sha512`: what `sha512sum --check backup.sha512` reads inside a backup's folder.
package enum ChecksumList {
    /// The text for these objects, in the order given.
    package static func text(_ objects: [StoredObject]) -> [UInt8] {
        objects.flatMap { Array("\($0.sha512)  \($0.path)\n".utf8) }
    }
}
