/// Writes moments and spans as replies show them.
package enum Timestamp {
    /// `yyyyMMddHHmmss` in UTC, from seconds since 1970.
    package static func label(unixSeconds: Int) -> String {
        let days = floorDivision(unixSeconds, 86_400)
        let second = unixSeconds - days * 86_400
        let (year, month, day) = civil(daysSince1970: days)
        let time = twoDigits(second / 3_600) + twoDigits(second / 60 % 60) + twoDigits(second % 60)
        let digits = String(year)
        let padding = String(repeating: "0", count: max(0, 4 - digits.count))
        return padding + digits + twoDigits(month) + twoDigits(day) + time
    }

    /// `HH:MM:SS`; more than two digits of hours where needed.
    package static func clock(seconds: Int) -> String {
        let whole = max(0, seconds)
        return "\(twoDigits(whole / 3_600)):\(twoDigits(whole / 60 % 60)):\(twoDigits(whole % 60))"
    }

    /// Days since 1970-01-01 of a date in the Gregorian calendar, by counting in eras of 400 years from 1 March.
    package static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivision(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = floorDivision(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func floorDivision(_ a: Int, _ b: Int) -> Int { a >= 0 ? a / b : -((b - 1 - a) / b) }
}
