import BackupCLI
import Testing

/// What is made of a clock that was read between two looks at our own.
@Suite struct ClockSkewTests {
    @Test(arguments: [
        (there: 1000, seconds: 0), (1005, 0), (999, 0), (1006, 0), (1007, 2), (998, -2), (4600, 3595), (-2600, -3600),
    ])
    func `a clock differs when it cannot have been ours`(there: Int, seconds: Int) {
        #expect(ClockSkew(there: there, before: 1000, after: 1005).seconds == seconds)
    }

    @Test func `a difference of minutes is told with the side and the remedy`() {
        #expect(ClockSkew(there: 1300, before: 1000, after: 1000).remark == nil)
        let behind = ClockSkew(there: 1301, before: 1000, after: 1000).remark
        let ahead = ClockSkew(there: 100, before: 1000, after: 1000).remark

        #expect(behind?.hasPrefix("this machine's clock is 301 s behind the target's: set") == true)
        #expect(ahead?.hasPrefix("this machine's clock is 900 s ahead of the target's: set") == true)
    }
}
