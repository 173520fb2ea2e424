import BackupEngine

/// A moment as `time=` gives it: `2024-09-28 06:56:44[.123456][+02[:00]]`, also with `T` and `Z`; UTC without a zone.
package struct RecoveryTime: Sendable, Hashable, CustomStringConvertible {
    /// Microseconds since 1970 in UTC.
    package let unixMicroseconds: Int
    /// As PostgreSQL reads it whatever its own time zone is: `2024-09-28 06:56:44.123456+02:00`.
    package let description: String

    /// Reads a moment; nil when it is not well formed or does not exist in the calendar.
    package init?(_ text: String) {
        var rest = text.utf8[...]
        func number(_ digits: Int, _ range: ClosedRange<Int>) -> Int? {
            let part = rest.prefix(digits)
            guard part.count == digits, part.allSatisfy({ (0x30...0x39).contains($0) }),
                let value = Int(Substring(part)),
                range.contains(value)
            else { return nil }
            rest = rest.dropFirst(digits)
            return value
        }
        func skip(_ bytes: UInt8...) -> UInt8? {
            guard let first = rest.first, bytes.contains(first) else { return nil }
            rest = rest.dropFirst()
            return first
        }
        let dash = UInt8(ascii: "-")
        let colon = UInt8(ascii: ":")
        guard let year = number(4, 1_970...9_999), skip(dash) != nil, let month = number(2, 1...12), skip(dash) != nil,
            let day = number(2, 1...Self.dayCount(year, month)), skip(UInt8(ascii: " "), UInt8(ascii: "T")) != nil,
            let hour = number(2, 0...23), skip(colon) != nil, let minute = number(2, 0...59)
        else { return nil }
        var second = 0
        if skip(colon) != nil {
            guard let value = number(2, 0...59) else { return nil }
            second = value
        }
        var microsecond = 0
        if skip(UInt8(ascii: ".")) != nil {
            let digits = rest.prefix { (0x30...0x39).contains($0) }.count
            guard (1...6).contains(digits), let value = number(digits, 0...999_999) else { return nil }
            microsecond = (digits..<6).reduce(value) { value, _ in value * 10 }
        }
        while skip(UInt8(ascii: " ")) != nil {}
        var offset = 0
        if let sign = skip(UInt8(ascii: "+"), dash) {
            guard let hours = number(2, 0...15) else { return nil }
            let hasColon = skip(colon) != nil
            let minutes = hasColon || !rest.isEmpty ? number(2, 0...59) : 0
            guard let minutes else { return nil }
            offset = (hours * 60 + minutes) * (sign == dash ? -1 : 1)
        } else if skip(UInt8(ascii: "Z")) == nil, String(rest) == "UTC" {
            rest = rest.dropFirst(3)
        }
        guard rest.isEmpty else { return nil }
        let local = CalendarTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        let seconds = local.secondsSince1970 - offset * 60
        unixMicroseconds = seconds * 1_000_000 + microsecond
        let fraction = microsecond == 0 ? "" : "." + String(String(1_000_000 + microsecond).dropFirst())
        let zone = "\(offset < 0 ? "-" : "+")\(twoDigits(abs(offset) / 60)):\(twoDigits(abs(offset) % 60))"
        description =
            "\(year)-\(twoDigits(month))-\(twoDigits(day)) "
            + "\(twoDigits(hour)):\(twoDigits(minute)):\(twoDigits(second))\(fraction)\(zone)"
    }

    private static func dayCount(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
