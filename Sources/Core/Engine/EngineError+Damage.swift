import BackupAPI

extension EngineError {
    /// Whether it says that what is stored is not what was written.
    package var isDamage: Bool {
        switch reason {
        case .recordDamaged, .indexDamaged, .objectDamaged, .memberDamaged, .chainBroken, .parentMissing: true
        default: false
        }
    }

    /// The damage that a fault of storage tells of: an object is gone, the place cannot give back what it was given, or what should
    /// name an object does not.
    /// - Parameter path: the object's path below the folder of the backup `label`.
    /// - Returns: nil for any other fault, which says nothing about the object.
    init?(damageOf path: String, of label: BackupLabel, _ fault: StorageError) {
        switch fault.reason {
        case .notFound: self.init(.objectDamaged, "'\(path)' of \(label) is missing")
        case .corrupt, .invalidKey: self.init(.objectDamaged, "'\(path)' of \(label): \(fault.summary)")
        default: return nil
        }
    }
}
