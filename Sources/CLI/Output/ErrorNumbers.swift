/// The number of each stable error code, for `Outcome.Error`. Neither is ever reused.
///
/// By hundreds: 40 storage, 41 codecs, 42 configuration, 43 commands, 44 keys and users, 45 engine, 46 PostgreSQL. A code that two
/// kinds of errors share, such as `master-key-missing`, has one number.
package enum ErrorNumbers {
    /// The number of a code that is not in the table.
    package static let other = 4_999

    /// All codes, in the order of the manual.
    package static let table: [(code: String, number: Int)] = [
        ("storage-not-found", 4_001), ("storage-already-exists", 4_002), ("storage-permission-denied", 4_003),
        ("storage-not-authenticated", 4_004), ("storage-no-space", 4_005), ("storage-read-only", 4_006),
        ("storage-throttled", 4_007), ("storage-unavailable", 4_008), ("storage-timed-out", 4_009),
        ("storage-corrupt", 4_010), ("storage-unsupported", 4_011), ("storage-invalid-key", 4_012),
        ("storage-misconfigured", 4_013), ("storage-cancelled", 4_014), ("storage-failed", 4_015),
        ("codec-truncated", 4_101), ("codec-damaged", 4_102), ("codec-not-authentic", 4_103),
        ("codec-too-large", 4_104), ("codec-not-this-format", 4_105), ("codec-unknown-version", 4_106),
        ("codec-key-missing", 4_107), ("codec-misconfigured", 4_108), ("codec-failed", 4_109),
        ("configuration-unreadable", 4_201), ("configuration-syntax", 4_202), ("configuration-duplicate", 4_203),
        ("configuration-unknown-section", 4_204), ("configuration-unknown-key", 4_205),
        ("configuration-invalid-value", 4_206), ("configuration-missing", 4_207),
        ("configuration-unknown-name", 4_208), ("configuration-unsupported", 4_209),
        ("usage", 4_301), ("interrupted", 4_302), ("unexpected", 4_303), ("file-failed", 4_304),
        ("unknown-server", 4_305), ("unknown-setting", 4_306), ("some-targets-failed", 4_307),
        ("verification-damage", 4_308), ("target-broken", 4_309),
        ("daemon-absent", 4_310), ("hot-standby-failed", 4_311),
        ("master-key-missing", 4_401), ("master-key-exists", 4_402), ("master-key-readable", 4_403),
        ("master-key-malformed", 4_404), ("users-malformed", 4_405), ("user-exists", 4_406),
        ("user-unknown", 4_407), ("password-unusable", 4_408), ("password-unavailable", 4_409),
        ("password-not-authentic", 4_410), ("not-a-recipient", 4_411), ("recipient-exists", 4_412),
        ("recipient-unknown", 4_413), ("recipient-absent", 4_414), ("last-recipient", 4_415), ("key-damaged", 4_416),
        ("unknown-backup", 4_501), ("ambiguous-backup", 4_502), ("no-backup", 4_503), ("backup-invalid", 4_504),
        ("record-damaged", 4_505), ("index-damaged", 4_506), ("object-damaged", 4_507), ("member-damaged", 4_508),
        ("manifest-mismatch", 4_509), ("stream-malformed", 4_510), ("other-cluster", 4_511), ("busy", 4_512),
        ("label-taken", 4_513), ("parent-missing", 4_514), ("directory-not-empty", 4_515),
        ("directory-unusable", 4_516), ("no-space", 4_517), ("tablespace-unusable", 4_518),
        ("unsupported-format", 4_519), ("encryption-required", 4_520), ("unsupported", 4_521), ("cancelled", 4_522),
        ("chain-broken", 4_523), ("no-incremental", 4_524), ("plain-repository", 4_525),
        ("is-parent", 4_526), ("record-unreadable", 4_527), ("file-unusable", 4_528), ("file-exists", 4_529),
        ("comment-exists", 4_530), ("comment-missing", 4_531), ("comment-too-long", 4_532), ("backup-kept", 4_533),
        ("notes-damaged", 4_534), ("wal-malformed", 4_540), ("wal-differs", 4_541), ("wal-absent", 4_542),
        ("wal-missing", 4_543), ("wal-unavailable", 4_544), ("inbox-full", 4_550),
        ("postgres-connection-refused", 4_601), ("postgres-no-such-host", 4_602), ("postgres-tls", 4_603),
        ("postgres-settings", 4_604), ("postgres-authentication-failed", 4_605), ("postgres-no-such-database", 4_606),
        ("postgres-permission", 4_607), ("postgres-server-starting", 4_608), ("postgres-too-many-connections", 4_609),
        ("postgres-timed-out", 4_610), ("postgres-connection-lost", 4_611), ("postgres-wal-level", 4_612),
        ("postgres-slot-in-use", 4_613), ("postgres-wal-gone", 4_614), ("postgres-summaries-missing", 4_615),
        ("postgres-damaged-pages", 4_616), ("postgres-backup-failed", 4_617), ("postgres-unsupported-version", 4_618),
        ("postgres-protocol", 4_619), ("postgres-cancelled", 4_620), ("postgres-other", 4_621),
        ("postgres-no-slots", 4_622),
        ("postgres-parent-unfit", 4_623),
    ]

    /// The number of a code.
    package static func number(of code: String) -> Int {
        table.first { $0.code == code }?.number ?? other
    }
}
