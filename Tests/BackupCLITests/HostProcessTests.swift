import BackupCLI
import BackupEngine
import Foundation
import TestSupport
import Testing

@Suite struct HostProcessTests {
    private func holder(_ process: Int32, _ instance: Lease.ProcessInstance?) -> Lease.Holder {
        Lease.Holder(host: "here", process: process, instance: instance, operation: "backup")
    }

    @Test func `a process that runs may be alive, and not after its end`() throws {
        let program = try Program.start("/bin/cat")
        let process = program.process
        let instance = try #require(HostProcess.instance(of: process))

        #expect(HostProcess.mayBeAlive(holder(process, instance)))
        kill(process, SIGKILL)
        var status = unsafe siginfo_t()
        // It has ended and was not collected.
        _ = unsafe waitid(P_PID, id_t(process), &status, WEXITED | WNOWAIT)
        #expect(!HostProcess.mayBeAlive(holder(process, instance)))
        _ = try program.finish()
        #expect(!HostProcess.mayBeAlive(holder(process, instance)))
    }

    @Test func `another process with the number of the holder is not the holder`() throws {
        var instance = try #require(HostProcess.instance(of: getpid()))
        instance.startedAt -= 1

        #expect(!HostProcess.mayBeAlive(holder(getpid(), instance)))
    }

    @Test func `of a process elsewhere nothing is known`() throws {
        let own = try #require(HostProcess.instance(of: getpid()))
        let elsewhere = Lease.ProcessInstance(system: own.system + "x", startedAt: own.startedAt)

        #expect(HostProcess.mayBeAlive(holder(Int32.max, elsewhere)))
        #expect(HostProcess.mayBeAlive(holder(Int32.max, nil)))
    }
}
