// swift-tools-version: 6.2
import PackageDescription

// The contract's calls stay on the caller's executor, so that a backend may block; this setting makes it so here too.
let settings: [SwiftSetting] = [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]

let package = Package(
    name: "ChunkDirectoryBackend",
    // In a package of your own: .package(url: …, from: …).
    dependencies: [.package(name: "pgmoneta", path: "../..")],
    targets: [
        .target(
            name: "ChunkBackend", dependencies: [.product(name: "BackupAPI", package: "pgmoneta")],
            swiftSettings: settings),
        .executableTarget(
            name: "pgmoneta-chunks",
            dependencies: ["ChunkBackend", .product(name: "BackupCLI", package: "pgmoneta")], swiftSettings: settings),
        .testTarget(
            name: "ChunkBackendTests",
            dependencies: ["ChunkBackend", .product(name: "BackupConformance", package: "pgmoneta")],
            swiftSettings: settings),
    ]
)
