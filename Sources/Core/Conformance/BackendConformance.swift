/// Holds the laws of `StorageBackend` as runnable checks.
