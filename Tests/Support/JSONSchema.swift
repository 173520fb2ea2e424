import Foundation

/// A value of JSON.
package enum JSONValue: Sendable, Hashable, Decodable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case list([JSONValue])
    case object([String: JSONValue])

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// The members of an object; none of anything else.
    package var members: [String: JSONValue] {
        if case .object(let members) = self { members } else { [:] }
    }

    /// The items of a list; none of anything else.
    package var items: [JSONValue] {
        if case .list(let items) = self { items } else { [] }
    }

    /// The text of a string.
    package var text: String? {
        if case .string(let text) = self { text } else { nil }
    }
}

/// A JSON Schema (draft 2020-12), as far as ours needs it. A keyword that is not known here is a fault: it would be passed over.
package struct JSONSchema: Sendable {
    private let root: JSONValue

    /// Reads a schema.
    package init(contentsOfFile path: String) throws {
        root = try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: URL(filePath: path)))
    }

    /// A part of the schema, by keys.
    package func part(_ path: String...) -> JSONValue { path.reduce(root) { $0.members[$1] ?? .null } }

    /// What of a value does not fit, each with its place.
    package func faults(in value: JSONValue) -> [String] { faults(value, root, "") }

    private func faults(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [String] {
        if case .bool(let isAllowed) = schema { return isAllowed ? [] : ["\(place): is not known"] }
        return schema.members.flatMap { keyword, rule in faults(value, keyword, rule, schema.members, place) }
    }

    private func faults(
        _ value: JSONValue, _ keyword: String, _ rule: JSONValue, _ schema: [String: JSONValue], _ place: String
    ) -> [String] {
        func fault(unless isFit: Bool) -> [String] {
            isFit ? [] : ["\(place): \(value) does not fit \(keyword) \(rule)"]
        }
        switch keyword {
        case "$schema", "$defs", "title", "description", "then", "else": return []
        case "$ref":
            let path = (rule.text ?? "").split(separator: "/").dropFirst()
            return faults(value, path.reduce(root) { $0.members[String($1)] ?? .bool(false) }, place)
        case "type": return fault(unless: rule.text == typeName(value) || rule.text == "number" && isNumber(value))
        case "const": return fault(unless: value == rule)
        case "enum": return fault(unless: rule.items.contains(value))
        case "pattern": return fault(unless: matches(value, rule.text ?? ""))
        case "minimum": return fault(unless: number(value) >= number(rule))
        case "maximum": return fault(unless: number(value) <= number(rule))
        case "required":
            return rule.items.compactMap(\.text).filter { value.members[$0] == nil }.map {
                "\(place)/\($0): is missing"
            }
        case "properties":
            return rule.members.flatMap { name, rule in
                value.members[name].map { faults($0, rule, "\(place)/\(name)") } ?? []
            }
        case "additionalProperties":
            let known = schema["properties"]?.members ?? [:]
            return value.members.filter { known[$0.key] == nil }.flatMap { faults($1, rule, "\(place)/\($0)") }
        case "items": return value.items.enumerated().flatMap { faults($1, rule, "\(place)/\($0)") }
        case "allOf": return rule.items.flatMap { faults(value, $0, place) }
        case "anyOf":
            let all = rule.items.map { faults(value, $0, place) }
            return all.contains([]) ? [] : all.flatMap(\.self)
        case "if":
            let next = faults(value, rule, place).isEmpty ? "then" : "else"
            return schema[next].map { faults(value, $0, place) } ?? []
        default: return ["\(place): the keyword \(keyword) is not known to this test"]
        }
    }

    private func typeName(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .number(let number): number == number.rounded() ? "integer" : "number"
        case .string: "string"
        case .list: "array"
        case .object: "object"
        }
    }

    private func isNumber(_ value: JSONValue) -> Bool { ["integer", "number"].contains(typeName(value)) }

    private func number(_ value: JSONValue) -> Double {
        if case .number(let number) = value { number } else { .nan }
    }

    private func matches(_ value: JSONValue, _ pattern: String) -> Bool {
        guard let text = value.text, let expression = try? Regex(pattern) else { return false }
        return text.firstMatch(of: expression) != nil
    }
}
