import BackupEngine
import BackupCLI
import Testing

@Suite struct ProgressTests {
    private func line(_ done: Int, of total: Int?, after seconds: Double) -> String {
        ProgressLine.text(
            .init(activity: "backup primary", doneByteCount: done, totalByteCount: total), elapsed: .seconds(seconds))
    }

    @Test func `a line has percent, bytes, rate and the time left`() {
        #expect(
            line(256 << 20, of: 1 << 30, after: 2)
                == "backup primary   25%  256.00MB of 1.00GB  128.00MB/s  00:00:06 left")
        #expect(line(1 << 30, of: 1 << 30, after: 8).contains("  100%  "))
    }

    @Test func `without a total there is no percent`() {
        #expect(line(10 << 20, of: nil, after: 2) == "backup primary  10.00MB  5.00MB/s")
    }

    @Test func `an estimate that was too small never says 100 percent`() {
        #expect(line(2 << 30, of: 1 << 30, after: 8).contains("  99%  "))
    }

    @Test func `nothing is divided by zero, and nothing overflows`() {
        #expect(line(0, of: 0, after: 0) == "backup primary  0.00B")
        #expect(line(0, of: 100, after: 1) == "backup primary    0%  0.00B of 100.00B  0.00B/s")
        _ = line(.max, of: .max, after: 0.001)
    }

    @Test func `a terminal's line is cleared when the operation ends, also when it fails`() async {
        struct Fault: Error {}
        let captured = CapturedConsole()
        let reporter = ProgressReporter(write: captured.console().errors, uptime: { .seconds(1) })

        await #expect(throws: Fault.self) {
            try await reporter.show(ProgressCounter(activity: "x")) { throw Fault() }
        }

        #expect(captured.errors.hasSuffix("\r\u{1B}[K"))
    }

    @Test func `without a terminal nothing is written`() async {
        let captured = CapturedConsole()
        let counter = ProgressCounter(activity: "x")
        let reporter = ProgressReporter(write: nil, uptime: { .zero })

        let sum = await reporter.show(counter) {
            counter.add(byteCount: 5)
            counter.add(byteCount: 6)
            return counter.reading.doneByteCount
        }

        #expect(sum == 11)
        #expect(captured.errors.isEmpty)
    }
}
