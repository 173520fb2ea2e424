import BackupAPI

extension BackupReplies {
    /// `verify`.
    package func verify(_ answer: VerifyAnswer) -> [String: OutputValue] {
        var fields = common(answer.server)
        var files: [String: OutputValue] = ["Failed": .list(answer.failed.map(file))]
        files["All"] = answer.all.map { .list($0.map(file)) }
        fields["Backup"] = .string(answer.label)
        fields["Files"] = .object(files)
        fields["NumberOfFiles"] = .integer(answer.checkedFileCount)
        fields["Targets"] = targets(answer.targets)
        fields["Valid"] = .validity(answer.failed.isEmpty ? .yes : .no)
        return fields
    }

    /// `target check`.
    package func targetCheck(_ answer: TargetCheckAnswer) -> [String: OutputValue] {
        var fields: [String: OutputValue] = [
            "Target": .string(answer.target), "URL": .string(answer.location),
            "ServerVersion": .string(ProgramVersion.text), "Capabilities": capabilities(answer.capabilities),
            "Remarks": .list(answer.capabilities.remarks.map { .string($0) }),
            "Checks": .list(
                answer.checks.map { check in
                    var fields: [String: OutputValue] = [
                        "Law": .string(check.law), "Kept": .bool(check.fault == nil),
                    ]
                    fields["Fault"] = check.fault.map { .string($0) }
                    return .object(fields)
                }),
        ]
        fields["LatencyMicroseconds"] = answer.latencyMicroseconds.map { .integer($0) }
        fields["WritePerSecond"] = answer.writeBytesPerSecond.map { .size($0) }
        fields["ReadPerSecond"] = answer.readBytesPerSecond.map { .size($0) }
        fields["ClockSkewSeconds"] = answer.clockSkewSeconds.map { .integer($0) }
        fields["FreeSpace"] = answer.freeByteCount.map { .size($0) }
        return fields
    }

    private func capabilities(_ capabilities: Capabilities) -> OutputValue {
        var fields: [String: OutputValue] = [
            "AtomicCreate": .bool(capabilities.hasAtomicCreate),
            "Concurrency": .integer(capabilities.usefulConcurrency),
            "Durability": .string(capabilities.durability.rawValue),
        ]
        fields["MaximumObjectSize"] = capabilities.maximumObjectByteCount.map { .size($0) }
        return .object(fields)
    }

    private func file(_ file: VerifyAnswer.File) -> OutputValue {
        .object([
            "Backup": .string(file.label), "Calculated": .string(file.calculated), "Directory": .string(file.directory),
            "FileName": .string(file.fileName), "HashAlgorithm": .string(file.algorithm),
            "Original": .string(file.original), "Target": .string(file.target),
        ])
    }
}
