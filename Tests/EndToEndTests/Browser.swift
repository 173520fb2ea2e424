import Foundation
import TestSupport
import Testing

/// Chromium without a window.
enum Browser {
    private static let path = "/usr/bin/chromium"

    /// Whether `scripts/setup browser` found one.
    static var isThere: Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// The document of a page as the browser understands it.
    static func document(_ address: String, in folder: TemporaryFolder) throws -> String {
        try run(["--dump-dom", address], folder).text
    }

    /// A picture of a page.
    static func image(_ address: String, width: Int, in folder: TemporaryFolder) throws -> (width: Int, byteCount: Int)
    {
        let file = folder.path("page-\(width).png")
        _ = try run(["--screenshot=\(file)", "--window-size=\(width),900", "--hide-scrollbars", address], folder)
        let bytes = try Array(Data(contentsOf: URL(filePath: file)))
        try #require(bytes.count > 24 && bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        // PNG (ISO/IEC 15948, 11.2.2): the width is the first number of IHDR.
        return (bytes[16..<20].reduce(0) { $0 << 8 | Int($1) }, bytes.count)
    }

    private static func run(_ arguments: [String], _ folder: TemporaryFolder) throws -> ProgramOutcome {
        let options = ["--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(folder.path("browser"))"]
        let outcome = try Program.run(path, options + arguments, environment: ["HOME": folder.path])
        try #require(outcome.status == 0, "\(outcome.errorText)")
        return outcome
    }
}
