import Glibc

/// A moment in whole seconds since 1970, UTC, in the forms that S3 writes and reads.
struct Timestamp: Sendable, Hashable, Comparable {
    /// Seconds since 1970-01-01 00:00:00 UTC.
    let seconds: Int

    /// Takes seconds since 1970.
    init(seconds: Int) { self.seconds = seconds }

    /// The clock of the machine.
    static func current() -> Timestamp {
        var moment = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &moment)
        return Timestamp(seconds: moment.tv_sec)
    }

    static func < (left: Timestamp, right: Timestamp) -> Bool { left.seconds < right.seconds }

    /// The day as `20130524`, as a credential scope has it.
    var day: String { String(basicISO8601.prefix(8)) }

    /// The moment as `20130524T000000Z`, as `x-amz-date` has it.
    var basicISO8601: String {
        let day = Int((Double(seconds) / 86_400).rounded(.down))
        let second = seconds - day * 86_400
        let (year, month, dayOfMonth) = Timestamp.civil(fromDay: day)
        return padded(year, 4) + padded(month, 2) + padded(dayOfMonth, 2) + "T" + padded(second / 3600, 2)
            + padded(second / 60 % 60, 2) + padded(second % 60, 2) + "Z"
    }

    /// Reads `2026-11-22T23:48:00.000Z`, as listings and temporary credentials carry it; fractions are dropped.
    init?(iso8601 text: String) {
        let fields = text.split(whereSeparator: { "-T:.Z+".contains($0) })
        guard fields.count >= 6, text.hasSuffix("Z") || text.hasSuffix("+00:00") else { return nil }
        let numbers = fields.prefix(6).compactMap { Int($0) }
        guard numbers.count == 6 else { return nil }
        self.init(numbers)
    }

    /// Reads `Sun, 22 Nov 2026 23:59:09 GMT`, as the `Date` header carries it (RFC 9110, section 5.6.7).
    init?(httpDate text: String) {
        let fields = text.split(whereSeparator: { " ,:".contains($0) })
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard fields.count == 8, fields[7] == "GMT", let month = months.firstIndex(of: String(fields[2])),
            let day = Int(fields[1]), let year = Int(fields[3]), let hour = Int(fields[4]), let minute = Int(fields[5]),
            let second = Int(fields[6])
        else { return nil }
        self.init([year, month + 1, day, hour, minute, second])
    }

    private init?(_ fields: [Int]) {
        guard (1970...9999).contains(fields[0]), (1...12).contains(fields[1]), (1...31).contains(fields[2]),
            (0...23).contains(fields[3]), (0...59).contains(fields[4]), (0...60).contains(fields[5])
        else { return nil }
        let day = Timestamp.day(year: fields[0], month: fields[1], day: fields[2])
        seconds = day * 86_400 + fields[3] * 3600 + fields[4] * 60 + fields[5]
    }

    private func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Days since 1970 to a date of the Gregorian calendar, counted in eras of 400 years that begin in March.
    private static func civil(fromDay day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    /// The inverse of `civil(fromDay:)`.
    private static func day(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
