/// An element of an answer with what is in it. Answers are limited in size before they are read.
struct XMLElement: Sendable, Hashable {
    /// Its name without a namespace prefix.
    var name: String
    /// The text directly in it.
    var text = ""
    /// The elements directly in it, in order.
    var children: [XMLElement] = []

    /// Begins an empty element.
    init(name: String) { self.name = name }

    /// Reads a whole document.
    init(document bytes: [UInt8]) throws(XMLFault) {
        var parser = XMLPullParser(bytes)
        var open: [XMLElement] = []
        var root = XMLElement(name: "")
        while let event = try parser.next() {
            switch event {
            case .start(let name): open.append(XMLElement(name: name))
            case .text(let text): if let last = open.indices.last { open[last].text += text }
            case .end:
                guard let element = open.popLast() else { continue }
                if let last = open.indices.last { open[last].children.append(element) } else { root = element }
            }
        }
        self = root
    }

    /// The first element of that name directly in it.
    func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }

    /// The text of the first element of that name directly in it.
    func text(of name: String) -> String? { child(name)?.text }

    /// All elements of that name directly in it.
    func children(named name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// Writes text so that it stands for itself between tags.
    static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
