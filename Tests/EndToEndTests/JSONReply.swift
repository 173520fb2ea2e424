import Foundation
import TestSupport
import Testing

/// A reply in JSON, or a part of one.
struct JSONReply {
    private let fields: [String: Any]

    /// Parses all that a program wrote to standard output, which must be as the schema says.
    init(_ outcome: ProgramOutcome, _ location: SourceLocation = #_sourceLocation) throws {
        let faults = try ReplySchema.schema.faults(in: JSONDecoder().decode(JSONValue.self, from: Data(outcome.output)))
        #expect(faults.isEmpty, "\(outcome.text)", sourceLocation: location)
        let value = try JSONSerialization.jsonObject(with: Data(outcome.output))
        fields = try #require(value as? [String: Any], "\(outcome.text)")
    }

    private init(_ fields: [String: Any]) { self.fields = fields }

    /// The text at a path of keys.
    func text(_ path: String...) throws -> String { try #require(value(path) as? String, "\(path) in \(fields)") }

    /// The number at a path of keys.
    func number(_ path: String...) throws -> Int { try #require(value(path) as? Int, "\(path) in \(fields)") }

    /// Whether the value at a path of keys is true.
    func flag(_ path: String...) throws -> Bool { try #require(value(path) as? Bool, "\(path) in \(fields)") }

    /// The objects in the list at a path of keys.
    func list(_ path: String...) throws -> [JSONReply] {
        try #require(value(path) as? [[String: Any]], "\(path) in \(fields)").map(JSONReply.init)
    }

    /// All keys, each with those above it: `Response/Backups/Valid`.
    var keys: Set<String> { Self.keys(fields, under: "") }

    /// The reply as sorted text without times and without what a kind of place tells of itself, so that replies can be compared.
    /// - Parameter replacements: texts that stand for what differs; a text is replaced where it is a whole string, and a path
    ///   where it begins one.
    func comparable(_ replacements: [String: String]) throws -> String {
        let data = try JSONSerialization.data(
            withJSONObject: Self.comparable(fields, replacements), options: [.sortedKeys, .prettyPrinted])
        return String(decoding: data, as: UTF8.self)
    }

    private static func comparable(_ value: Any, _ replacements: [String: String]) -> Any {
        if let items = value as? [Any] { return items.map { comparable($0, replacements) } }
        if let object = value as? [String: Any] {
            let own = ["Durability", "FreeSpace", "NewestBackupAge", "Time", "Timestamp"]
            return object.filter { !own.contains($0.key) }
                .mapValues { comparable($0, replacements) }
        }
        guard let text = value as? String else { return value }
        if let whole = replacements[text] { return whole }
        let path = replacements.first { $0.key.hasPrefix("/") && text.contains($0.key) }
        return path.map { text.replacing($0.key, with: $0.value) } ?? text
    }

    private func value(_ path: [String]) -> Any? {
        path.reduce(fields as Any?) { value, key in (value as? [String: Any])?[key] }
    }

    private static func keys(_ value: Any, under path: String) -> Set<String> {
        if let items = value as? [Any] { return items.reduce(into: []) { $0.formUnion(keys($1, under: path)) } }
        guard let object = value as? [String: Any] else { return [] }
        return object.reduce(into: []) { found, member in
            found.insert(path + member.key)
            found.formUnion(keys(member.value, under: path + member.key + "/"))
        }
    }
}
