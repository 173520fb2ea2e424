import Foundation
import TestSupport

/// The schema in docs/, which every reply in JSON must fit (`JSONReply`).
enum ReplySchema {
    static let schema: JSONSchema = {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/reply.schema.json")
        do { return try JSONSchema(contentsOfFile: path.path) } catch { fatalError("docs/reply.schema.json: \(error)") }
    }()

    /// The commands that it knows.
    static var commands: Set<String> {
        Set(
            schema.part("properties", "Header").members["properties"]?.members["Command"]?.members["enum"]?.items
                .compactMap(\.text) ?? [])
    }
}
