package import BackupEngine
import Glibc

/// What this machine knows about the process that holds a lease.
package enum HostProcess {
    /// What tells a process of this machine from earlier and later ones of its number; nil when it is not there.
    package static func instance(of process: Int32) -> Lease.ProcessInstance? {
        guard let system, let status = status(of: process) else { return nil }
        return Lease.ProcessInstance(system: system, startedAt: status.startedAt)
    }

    /// Whether the holder of a lease may still be at work: not when its process was on this machine, and is there no more.
    package static func mayBeAlive(_ holder: Lease.Holder) -> Bool {
        guard let instance = holder.instance, instance.system == system else { return true }
        // Signal 0 only asks (kill(2)). Other users' processes may be hidden in /proc, so this comes first.
        if kill(holder.process, 0) != 0, errno == ESRCH { return false }
        guard let status = status(of: holder.process) else { return true }
        return status.startedAt == instance.startedAt && !status.hasEnded
    }

    /// The boot and the process namespace, in which a number means one process at a time.
    private static var system: String? {
        guard let boot = try? SmallFile.read("/proc/sys/kernel/random/boot_id") else { return nil }
        var target = [CChar](repeating: 0, count: 256)
        // `readlink` writes at most as many bytes as it is told, one less than there are.
        let count = unsafe readlink("/proc/self/ns/pid", &target, target.count - 1)
        guard count > 0 else { return nil }
        let namespace = target.prefix(count).map { UInt8(bitPattern: $0) }
        return String(decoding: boot.bytes.prefix { $0 != 0x0A } + [0x20] + namespace, as: UTF8.self)
    }

    /// Reads the state and the start, fields 3 and 22 of `/proc/PID/stat` (proc_pid_stat(5)).
    private static func status(of process: Int32) -> (hasEnded: Bool, startedAt: UInt64)? {
        guard let file = try? SmallFile.read("/proc/\(process)/stat") else { return nil }
        // Field 2 is the program's name in parentheses, which may hold anything.
        guard let name = file.bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = file.bytes[name...].dropFirst().split(separator: 0x20)
        guard fields.count > 19, let startedAt = UInt64(String(decoding: fields[19], as: UTF8.self)) else { return nil }
        return ([UInt8(ascii: "Z"), UInt8(ascii: "X")].contains(fields[0].first), startedAt)
    }
}
