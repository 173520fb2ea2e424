extension Lease {
    /// What a lease's object says.
    package struct Holder: Sendable, Codable, Hashable {
        /// The name of the machine, for people.
        package var host: String
        package var process: Int32
        /// What tells the process from others of its number; nil where the machine does not say.
        package var instance: ProcessInstance?
        package var operation: String
        /// Seconds since 1970.
        package var expiresAt: Int

        package init(
            host: String, process: Int32, instance: ProcessInstance? = nil, operation: String, expiresAt: Int = 0
        ) {
            self.host = host
            self.process = process
            self.instance = instance
            self.operation = operation
            self.expiresAt = expiresAt
        }

        /// What it does and where, as an operator looks for it.
        func description(server: String) -> String {
            "\(operation) of '\(server)' by process \(process) on \(host), "
                + "until \(CalendarTime(secondsSince1970: expiresAt).compact) UTC at the latest"
        }
    }

    /// What makes a process's number mean one process only.
    package struct ProcessInstance: Sendable, Codable, Hashable {
        /// The running system in which process numbers are counted: it differs between machines, boots and containers.
        package var system: String
        /// When the process began, in a unit of that system.
        package var startedAt: UInt64

        package init(system: String, startedAt: UInt64) {
            self.system = system
            self.startedAt = startedAt
        }
    }
}
