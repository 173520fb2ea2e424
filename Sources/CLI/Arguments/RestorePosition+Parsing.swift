import BackupEngine

extension RestorePosition {
    private static let words = [
        "current", "immediate", "name", "xid", "lsn", "time", "inclusive", "timeline", "action", "primary", "replica",
    ]

    /// Reads `current`, `immediate`, `name=X`, `xid=X`, `lsn=X`, `time=X`, and `inclusive=`, `timeline=`, `action=`, `primary`,
    /// `replica`, separated by commas.
    package init(_ text: String) throws(UsageError) {
        var seen: Set<String> = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let equals = item.firstIndex(of: "=")
            let word = String((equals.map { item[..<$0] } ?? item).trimmedOfBlanks)
            let value = equals.map { String(item[item.index(after: $0)...].trimmedOfBlanks) }
            guard Self.words.contains(word) else {
                throw UsageError(
                    "position: '\(word)' is not known",
                    remedy: NearestName.hint(word, among: Self.words)
                        + "Allowed: \(Self.words.joined(separator: ", ")).")
            }
            guard seen.insert(word).inserted else {
                throw UsageError("position: '\(word)' is given twice", remedy: "Keep one of them.")
            }
            try take(word, value)
        }
        guard !(seen.contains("primary") && seen.contains("replica")) else {
            throw UsageError("position: primary and replica exclude each other", remedy: "Keep one of them.")
        }
    }

    private mutating func take(_ word: String, _ value: String?) throws(UsageError) {
        switch (word, value) {
        case ("current", nil): try aim(.current)
        case ("immediate", nil): try aim(.immediate)
        case ("primary", nil): role = .primary
        case ("replica", nil): role = .replica
        case ("current", _), ("immediate", _), ("primary", _), ("replica", _):
            throw UsageError("position: '\(word)' takes no value", remedy: "Write \(word) alone.")
        case (_, nil), (_, ""):
            throw UsageError("position: '\(word)' needs a value", remedy: "Write \(word)=…")
        case ("name", let name?): try aim(.name(name))
        case ("xid", let text?): try aim(.transaction(Self.known(UInt64(text), word, text, "a transaction's number")))
        case ("lsn", let text?): try aim(.lsn(Self.known(Self.lsn(text), word, text, "an LSN such as 0/3000060")))
        case ("time", let text?):
            try aim(
                .time(
                    Self.known(
                        RecoveryTime(text), word, text, "a time such as 2024-09-28 06:56:44+02; UTC without a zone")))
        case ("inclusive", let text?): isInclusive = try Self.known(Self.flag(text), word, text, "on or off")
        case ("timeline", let text?):
            timeline = try Self.known(Self.timeline(text), word, text, "latest, current or a timeline's number")
        case ("action", let text?):
            action = try Self.known(Action(rawValue: text), word, text, "pause, promote or shutdown")
        default: break
        }
    }

    private mutating func aim(_ new: Target) throws(UsageError) {
        guard target == nil else {
            throw UsageError(
                "position: there are two recovery targets",
                remedy: "Keep one of current, immediate, name, xid, lsn and time.")
        }
        target = new
    }

    private static func known<Value>(
        _ value: Value?, _ word: String, _ text: String, _ allowed: String
    ) throws(UsageError) -> Value {
        guard let value else {
            throw UsageError("position: \(word): '\(text)' is not allowed", remedy: "Allowed: \(allowed).")
        }
        return value
    }

    private static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "on", "yes", "true", "1": true
        case "off", "no", "false", "0": false
        default: nil
        }
    }

    private static func timeline(_ text: String) -> Timeline? {
        switch text {
        case "latest": .latest
        case "current": .current
        default: UInt32(text).flatMap { $0 > 0 ? .number($0) : nil }
        }
    }

    private static func lsn(_ text: String) -> UInt64? {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, halves.allSatisfy({ $0.utf8.first != UInt8(ascii: "+") }),
            let high = UInt32(halves[0], radix: 16), let low = UInt32(halves[1], radix: 16)
        else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }
}
