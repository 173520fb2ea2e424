/// Reads times and sizes as configuration files write them: a whole number and a unit in either case.
package enum Quantity {
    /// Seconds in `3600`, `30s`, `10m`, `1H`, `7d`, `2w`; nil when it is not well formed or too large.
    package static func seconds(_ text: String) -> Int? {
        read(text, units: ["": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800])
    }

    /// Bytes in `512`, `512B`, `64K`, `64KB`, `10M`, `2GB`, `1T`, counted by 1024; nil when it is not well formed or too large.
    package static func bytes(_ text: String) -> Int? {
        read(
            text,
            units: [
                "": 1, "b": 1, "k": 1 << 10, "kb": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "g": 1 << 30, "gb": 1 << 30,
                "t": 1 << 40, "tb": 1 << 40,
            ])
    }

    private static func read(_ text: String, units: [String: Int]) -> Int? {
        let digits = text.utf8.prefix { (0x30...0x39).contains($0) }
        let unit = text.utf8.dropFirst(digits.count)
        guard let number = Int(Substring(digits)), let factor = units[Substring(unit).lowercased()] else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }
}
