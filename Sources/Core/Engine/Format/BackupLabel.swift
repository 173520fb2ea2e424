/// A backup's name: the UTC time of its beginning, `YYYYMMDDHHMMSS`, unique for its server.
package struct BackupLabel: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    package let string: String

    /// Reads a label; nil when it is not fourteen digits of a real time.
    package init?(_ string: String) {
        guard string.utf8.count == 14, string.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        // A time that is none, such as a thirtieth of February, comes back as another one.
        let seconds = CalendarTime(compact: string).secondsSince1970
        guard CalendarTime(secondsSince1970: seconds).compact.utf8.elementsEqual(string.utf8) else { return nil }
        self.string = string
    }

    /// The label of a moment, in seconds since 1970 UTC.
    package init(secondsSince1970 seconds: Int) { string = CalendarTime(secondsSince1970: seconds).compact }

    package var description: String { string }

    /// The moment that the label names, in seconds since 1970 UTC.
    package var secondsSince1970: Int { CalendarTime(compact: string).secondsSince1970 }

    package static func < (left: BackupLabel, right: BackupLabel) -> Bool { left.string < right.string }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let label = BackupLabel(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not a backup label")
        }
        self = label
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(string)
    }
}

/// A UTC time in fields of the Gregorian calendar.
package struct CalendarTime: Sendable, Hashable {
    package var year: Int
    package var month: Int
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int

    /// Makes a time from fields that are those of a real one.
    package init(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        (self.year, self.month, self.day) = (year, month, day)
        (self.hour, self.minute, self.second) = (hour, minute, second)
    }

    /// Splits seconds since 1970; the day count goes by the 400-year cycle of the calendar (146,097 days).
    package init(secondsSince1970 seconds: Int) {
        var days = seconds / 86_400
        var rest = seconds % 86_400
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
        // Days are counted from 0000-03-01, so that the leap day is a year's last.
        let shifted = days + 719_468
        let cycle = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfCycle = shifted - cycle * 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0)
    }

    /// Reads `YYYYMMDDHHMMSS`; what is missing counts as zero.
    package init(compact text: String) {
        let digits = text.utf8.map { Int($0) - 0x30 }
        func field(_ start: Int, _ width: Int) -> Int {
            (start..<start + width).reduce(0) { $0 * 10 + (digits.indices.contains($1) ? digits[$1] : 0) }
        }
        (year, month, day) = (field(0, 4), field(4, 2), field(6, 2))
        (hour, minute, second) = (field(8, 2), field(10, 2), field(12, 2))
    }

    /// Seconds since 1970 UTC.
    package var secondsSince1970: Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let cycle = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfCycle = shiftedYear - cycle * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfCycle = yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear
        return (cycle * 146_097 + dayOfCycle - 719_468) * 86_400 + hour * 3600 + minute * 60 + second
    }

    /// `YYYYMMDDHHMMSS`.
    package var compact: String {
        CalendarTime.padded(year, 4) + [month, day, hour, minute, second].map { CalendarTime.padded($0, 2) }.joined()
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
