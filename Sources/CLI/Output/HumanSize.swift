/// Writes sizes for people: two decimals and a unit of 1024, without a space: `6.54MB`.
package enum HumanSize {
    private static let units = ["B", "kB", "MB", "GB", "TB", "PB"]

    /// The size as text; rounds as `printf("%.2f")` does.
    package static func text(_ byteCount: Int) -> String {
        let magnitude = byteCount.magnitude
        var unit = 0
        while unit < units.count - 1, magnitude >> (10 * UInt(unit + 1)) > 0 { unit += 1 }
        let shift = 10 * UInt(unit)
        var whole = magnitude >> shift
        // At most 2^50 · 100: no overflow.
        let scaled = (magnitude & ((1 << shift) - 1)) * 100
        var hundredths = scaled >> shift
        let rest = scaled & ((1 << shift) - 1)
        let half: UInt = shift == 0 ? 1 : 1 << (shift - 1)
        if rest > half || (rest == half && hundredths % 2 == 1) { hundredths += 1 }
        if hundredths == 100 {
            whole += 1
            hundredths = 0
        }
        return "\(byteCount < 0 ? "-" : "")\(whole).\(twoDigits(Int(hundredths)))\(units[unit])"
    }
}

/// `07` for 7.
package func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
