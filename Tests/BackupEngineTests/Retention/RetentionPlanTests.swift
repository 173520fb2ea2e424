import BackupEngine
import TestSupport
import Testing

@Suite struct RetentionPlanTests {
    private typealias Backup = RetentionPlan.Backup
    private static let day = 86_400
    /// 2024-12-31 23:30:00 UTC, a Tuesday.
    private static let now = 1_735_687_800

    private func label(_ text: String) throws -> BackupLabel { try #require(BackupLabel(text)) }

    private func kept(_ backups: [Backup], _ policy: RetentionPolicy, now: Int = now) -> [BackupLabel] {
        RetentionPlan.decide(backups, policy: policy, now: now).filter(\.isKept).map(\.backup.label)
    }

    /// Three years of a full backup each midnight, and incremental ones each hour, each on the one before.
    private static let threeYears: [Backup] = {
        var backups: [Backup] = []
        let first = CalendarTime(compact: "20220101000000").secondsSince1970
        for time in stride(from: first, through: now, by: 3600) {
            let label = BackupLabel(secondsSince1970: time)
            let isFull = time % day == 0
            backups.append(
                Backup(label: label, parent: isFull ? nil : backups.last?.label, byteCount: isFull ? 100 : 1))
        }
        return backups
    }()

    @Test func `of three years of hourly chains, these days are left`() throws {
        let backups = Self.threeYears
        #expect(backups.count == 26_304)

        let decisions = RetentionPlan.decide(
            backups, policy: RetentionPolicy(days: 7, weeks: 4, months: 6, years: 3), now: Self.now)

        // Of each day the newest backup is the one of 23:00, which needs all 24 of its day.
        let days = Dictionary(grouping: decisions.filter(\.isKept)) { String($0.backup.label.string.prefix(8)) }
        for (day, kept) in days { #expect(kept.count == 24, "\(day)") }
        let table = days.keys.sorted().map { day in
            let newest = days[day]?.max { $0.backup.label < $1.backup.label }
            let why = newest?.reasons.map { "\($0)".replacing("newest of the ", with: "") } ?? []
            return "\(day)  " + why.joined(separator: ", ")
        }
        #expect(
            table.joined(separator: "\n") == """
                20221231  year 2022
                20231231  year 2023
                20240731  month 2024-07
                20240831  month 2024-08
                20240930  month 2024-09
                20241031  month 2024-10
                20241130  month 2024-11
                20241215  week 2024-12-09
                20241222  week 2024-12-16
                20241225  day 2024-12-25
                20241226  day 2024-12-26
                20241227  day 2024-12-27
                20241228  day 2024-12-28
                20241229  day 2024-12-29, week 2024-12-23
                20241230  day 2024-12-30
                20241231  day 2024-12-31, week 2024-12-30, month 2024-12, year 2024
                """)
        #expect(decisions.filter { !$0.isKept }.allSatisfy { $0.reasons == [.expired] })
    }

    @Test func `spans without a backup do not count, so that old backups stay when new ones stop`() throws {
        let backups = try ["20200101000000", "20210101000000", "20220101000000"].map { Backup(label: try label($0)) }

        #expect(kept(backups, RetentionPolicy(days: 2)).map(\.string) == ["20210101000000", "20220101000000"])
    }

    @Test func `the last valid backup stays, whatever the policy says`() throws {
        let backups = try [
            Backup(label: label("20200101000000")), Backup(label: label("20200102000000")),
            Backup(label: label("20200103000000"), condition: .damaged),
        ]

        let decisions = RetentionPlan.decide(backups, policy: RetentionPolicy(), now: Self.now)

        #expect(decisions.map(\.isKept) == [false, true, false])
        #expect(decisions.map(\.reasons) == [[.expired], [.lastValid], [.damaged]])
    }

    @Test func `what cannot be restored goes when a week has passed, what nobody can tell stays`() throws {
        let old = try label("20241201000000")
        let recent = try label("20241230000000")
        let backups = [
            Backup(label: old, condition: .damaged),
            Backup(label: try label("20241202000000"), parent: old),
            Backup(label: try label("20241203000000"), parent: try label("20240101000000")),
            Backup(label: try label("20241204000000"), condition: .unknown),
            Backup(label: try label("20241229000000")),
            Backup(label: recent, parent: try label("20241204000000")),
            Backup(label: try label("20241230120000"), condition: .damaged),
            Backup(label: try label("20241231000000"), condition: .damaged),
        ]

        let decisions = RetentionPlan.decide(backups, policy: RetentionPolicy(days: 1), now: Self.now)

        #expect(
            decisions.map(\.reasons) == [
                [.damaged], [.orphaned], [.orphaned], [.unknown, .neededBy(recent)], [.newest(.day, "2024-12-29")],
                [.unknown], [.grace], [.wanted],
            ])
    }

    @Test func `where nothing can be restored, nothing goes`() throws {
        let full = try label("20240101000000")
        let backups = try [
            Backup(label: full, condition: .damaged), Backup(label: label("20240102000000"), parent: full),
        ]

        let decisions = RetentionPlan.decide(backups, policy: RetentionPolicy(days: 1), now: Self.now)

        #expect(decisions.map(\.isKept) == [true, true])
        #expect(decisions[1].reasons == [.nothingValid])
    }

    @Test func `a chain that a damaged parent broke stays as long as the policy would keep it`() throws {
        let labels = try (1...5).map { try label("2024010\($0)000000") }
        let backups =
            [Backup(label: labels[0]), Backup(label: labels[1], condition: .damaged)]
            + (2...4).map { Backup(label: labels[$0], parent: labels[$0 - 1]) }

        let decisions = RetentionPlan.decide(backups, policy: RetentionPolicy(days: 2), now: Self.now)

        #expect(decisions.map(\.isKept) == [true, true, true, true, true])
        #expect(decisions[4].reasons == [.wanted])
    }

    @Test func `older backups stay while nobody can tell what a newer one builds on`() throws {
        let labels = try (1...4).map { try label("2024010\($0)000000") }
        let backups = [
            Backup(label: labels[0], condition: .damaged), Backup(label: labels[1]),
            Backup(label: labels[2], condition: .unknown), Backup(label: labels[3]),
        ]

        let decisions = RetentionPlan.decide(backups, policy: RetentionPolicy(days: 1), now: Self.now)

        #expect(decisions.map(\.isKept) == [false, true, true, true])
        #expect(decisions[1].reasons == [.mayBeNeededBy(labels[2])])
    }

    @Test func `a kept child keeps its parents, a kept parent not its children`() throws {
        let labels = try (1...4).map { try label("2024010\($0)000000") }
        let backups = [
            Backup(label: labels[0]), Backup(label: labels[1], parent: labels[0], isKept: true),
            Backup(label: labels[2], parent: labels[1]), Backup(label: labels[3]),
        ]

        let decisions = RetentionPlan.decide(backups, policy: RetentionPolicy(years: 1), now: Self.now)

        #expect(decisions.map(\.isKept) == [true, true, false, true])
        #expect(decisions[0].reasons == [.neededBy(labels[1])])
        #expect(decisions[1].reasons == [.kept])
    }

    @Test(arguments: 1...40)
    func `whatever is there, what is kept is whole, stays kept, and grows with the policy`(seed: Int) {
        var random = SeededNumbers(seed: UInt64(seed))
        let backups = Self.randomBackups(&random)
        let policy = RetentionPolicy(
            days: random.count(5), weeks: random.count(3), months: random.count(3), years: random.count(2))
        var wider = policy
        wider.days = (policy.days ?? 0) + 1
        wider.months = (policy.months ?? 0) + 2

        let first = kept(backups, policy)
        let left = backups.filter { first.contains($0.label) }

        #expect(kept(left, policy) == first, "a second run deletes nothing more")
        #expect(Set(kept(backups, wider)).isSuperset(of: first), "a policy that keeps more keeps no other")
        for backup in left where backups.contains(where: { $0.label == backup.parent }) {
            #expect(left.contains { $0.label == backup.parent }, "\(backup.label) lacks its parent")
        }
        for backup in backups where backup.isKept { #expect(first.contains(backup.label)) }
        let restorable = backups.filter { Self.isRestorable($0, in: backups) }
        #expect(restorable.isEmpty || left.contains { Self.isRestorable($0, in: left) }, "one can be restored")
    }

    private static func isRestorable(_ backup: Backup, in all: [Backup]) -> Bool {
        guard backup.condition == .valid else { return false }
        guard let parent = backup.parent else { return true }
        return all.first { $0.label == parent }.map { isRestorable($0, in: all) } ?? false
    }

    /// Trees of backups over two months, some damaged, some kept, some without their parents.
    private static func randomBackups(_ random: inout SeededNumbers) -> [Backup] {
        var backups: [Backup] = []
        var time = now - 60 * day
        while time < now {
            time += 1 + Int(random.next() % 200_000)
            var backup = Backup(label: BackupLabel(secondsSince1970: time))
            if random.next() % 3 > 0, !backups.isEmpty {
                backup.parent = backups[backups.count - 1 - Int(random.next() % UInt64(min(4, backups.count)))].label
            }
            if random.next() % 9 == 0 { backup.condition = random.next() % 2 == 0 ? .damaged : .unknown }
            backup.isKept = random.next() % 12 == 0
            backups.append(backup)
        }
        return backups.filter { _ in random.next() % 20 > 0 }
    }
}

extension SeededNumbers {
    /// A number below a limit; nil for 0.
    fileprivate mutating func count(_ limit: UInt64) -> Int? {
        let number = Int(next() % limit)
        return number == 0 ? nil : number
    }
}
