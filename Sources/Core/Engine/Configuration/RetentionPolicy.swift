/// How many of each kind of backup are kept: the newest of each of the last days, weeks, months and years.
package struct RetentionPolicy: Sendable, Hashable {
    /// The newest of each of this many days; nil, as for the others, keeps none for this reason.
    package var days: Int?
    /// The newest of each of this many weeks.
    package var weeks: Int?
    /// The newest of each of this many months.
    package var months: Int?
    /// The newest of each of this many years.
    package var years: Int?

    /// Makes a policy.
    package init(days: Int? = nil, weeks: Int? = nil, months: Int? = nil, years: Int? = nil) {
        self.days = days
        self.weeks = weeks
        self.months = months
        self.years = years
    }

    /// Reads `7, -, -, -`: days, weeks, months, years. `-`, `x`, `0` and nothing mean that this part is not used.
    /// - Returns: nil when it is not well formed, or when no part is used: such a policy would keep nothing.
    package init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmedOfBlanks)
        guard parts.count <= 4 else { return nil }
        var numbers: [Int?] = []
        for part in parts {
            if ["", "-", "x", "X", "0"].contains(part) {
                numbers.append(nil)
            } else if let number = Int(part), (1...100_000).contains(number) {
                numbers.append(number)
            } else {
                return nil
            }
        }
        guard numbers.contains(where: { $0 != nil }) else { return nil }
        numbers += Array(repeating: nil, count: 4 - numbers.count)
        self.init(days: numbers[0], weeks: numbers[1], months: numbers[2], years: numbers[3])
    }

    /// As the configuration writes it.
    package var text: String {
        [days, weeks, months, years].map { $0.map(String.init) ?? "-" }.joined(separator: ", ")
    }
}
