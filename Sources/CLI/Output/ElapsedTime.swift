/// Writes spans as replies show them.
package enum ElapsedTime {
    /// `HH:MM:SS`; more than two digits of hours where needed.
    package static func text(seconds: Int) -> String {
        let whole = max(0, seconds)
        return "\(twoDigits(whole / 3_600)):\(twoDigits(whole / 60 % 60)):\(twoDigits(whole % 60))"
    }
}
