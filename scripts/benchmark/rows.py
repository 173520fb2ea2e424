"""The rows of the benchmark: which programs take turns, and what is expected."""
from .account import Failure
from .chains import CHAIN_ROWS
from .growth import GROWTH_ROWS
from .machine import load, say
from .measure import measure
from .peers import BaseBackup, PgBackRest
from .pgmoneta import Pgmoneta
from .row import Goal, Result, Row, once
from .targets import TARGET_ROWS
from .wal import WAL_ROWS

OURS = "pgmoneta"


def run(name, laboratory, pairs):
    """Runs the cases of a row in turns."""
    row = ROWS[name]
    say(f"== {row.title}")
    try:
        return _turns(Result(name, row), row.prepare(laboratory), pairs)
    except Failure as failure:
        say(f"this row failed: {failure}")
        return Result(name, row, fault=str(failure))
    finally:
        laboratory.end_places()


def _order(names, turn):
    """The cases as they follow in a turn: every turn begins with another one, and every second one goes backwards, because a
    case that comes behind one that wrote gigabytes is slower."""
    first = turn // 2 % len(names)
    order = names[first:] + names[:first]
    return order[::-1] if turn % 2 else order


def _turns(result, cases, pairs):
    row = result.row
    result.samples = {name: [] for name in cases}
    names = list(cases)
    for turn in range(min(pairs, row.most_turns)):
        for name in _order(names, turn):
            for _ in range(row.runs):
                before = load()
                sample = cases[name]()
                result.samples[name].append(sample)
                say(
                    f"{turn + 1}. {name}: {sample.wall:.3f} s, {sample.cpu:.2f} CPU s, "
                    f"{sample.memory / 1048576:.0f} MiB, {sample.stored / 1e6:.0f} MB; load average {before}")
    return result


def _full(laboratory):
    cluster = laboratory.cluster(17)
    return {
        OURS: once(lambda: Pgmoneta(laboratory, cluster)),
        "pg_basebackup client-zstd:3": BaseBackup(laboratory, cluster, "client-zstd:3").backup,
        "pg_basebackup client-zstd:level=3,workers=2":
            BaseBackup(laboratory, cluster, "client-zstd:level=3,workers=2").backup,
    }


def _full_pgbackrest(laboratory):
    cluster = laboratory.cluster(15)
    return {
        OURS: once(lambda: Pgmoneta(laboratory, cluster)),
        "pgBackRest p2": once(lambda: PgBackRest(laboratory, cluster)),
    }


def _encryption(laboratory):
    cluster = laboratory.cluster(17)
    return {
        "pgmoneta aes-256-gcm": once(lambda: Pgmoneta(laboratory, cluster, "aes-256-gcm")),
        OURS: once(lambda: Pgmoneta(laboratory, cluster)),
    }


def _restore(laboratory):
    cluster = laboratory.cluster(15)
    ours, pgbackrest = Pgmoneta(laboratory, cluster), PgBackRest(laboratory, cluster)
    ours.backup()
    pgbackrest.backup()
    archives = laboratory.workspace.fresh("archives")
    base_backup = BaseBackup(laboratory, cluster, "client-zstd:3")
    laboratory.account.run(base_backup.take(archives))
    return {
        OURS: ours.restore,
        "pgBackRest p2": pgbackrest.restore,
        "zstd -dc | tar -x; sync -f": lambda: base_backup.restore(archives),
    }


def _verify(laboratory):
    cluster = laboratory.cluster(15)
    ours, pgbackrest = Pgmoneta(laboratory, cluster), PgBackRest(laboratory, cluster)
    ours.backup()
    pgbackrest.backup()
    return {
        "pgmoneta --quick": lambda: ours.verify("--quick"),
        OURS: ours.verify,
        "pgBackRest p2": pgbackrest.verify,
    }


def _memory(laboratory):
    cases = {}
    for size, divided_by in (("", 1), (", a tenth", 10)):
        cluster = laboratory.cluster(17, divided_by)
        kept = Pgmoneta(laboratory, cluster)
        kept.backup()
        cases[f"backup{size}"] = once(lambda cluster=cluster: Pgmoneta(laboratory, cluster))
        cases[f"verify{size}"] = kept.verify
        cases[f"restore{size}"] = kept.restore
        cases[f"archive{size}"] = kept.archive
    return cases


def _list(laboratory):
    ours = Pgmoneta(laboratory, laboratory.cluster(17, 100))
    ours.backup()
    ours.multiply(1000)
    if (seen := ours.run("list-backup", "primary").count("Valid: yes")) != 1000:
        raise Failure(f"list-backup shows {seen} valid backups of 1000")
    return {"list-backup": lambda: ours.measure("list-backup", "primary")}


def _start(laboratory):
    command = [f"{laboratory.programs}/pgmoneta-cli", "--version"]
    return {
        "--version": lambda: measure(laboratory.account, command),
        "/bin/true": lambda: measure(laboratory.account, ["/bin/true"]),
    }


MEMORY_LIMIT = 100 * 1048576

ROWS = {
    "full": Row(
        "Full backup against pg_basebackup (PostgreSQL 17; zstd level 3, durable)", _full, [
            Goal("wall", OURS, 0.7, "pg_basebackup client-zstd:3"),
            Goal("wall", OURS, 1.0, "pg_basebackup client-zstd:level=3,workers=2"),
            Goal("cpu", OURS, 1.2, "pg_basebackup client-zstd:3"),
            Goal("memory", OURS, MEMORY_LIMIT)]),
    "full-pgbackrest": Row(
        "Full backup against pgBackRest (PostgreSQL 15; zstd level 3, durable)", _full_pgbackrest, [
            Goal("wall", OURS, 0.65, "pgBackRest p2")]),
    "encryption": Row(
        "Full backup with encryption (PostgreSQL 17; zstd level 3, durable)", _encryption, [
            Goal("wall", "pgmoneta aes-256-gcm", 1.1, OURS)]),
    "restore": Row(
        "Restore of a full backup (PostgreSQL 15; durable)", _restore, [
            Goal("wall", OURS, 0.6, "pgBackRest p2"),
            Goal("wall", OURS, 1.0, "zstd -dc | tar -x; sync -f"),
            Goal("memory", OURS, MEMORY_LIMIT)]),
    "verify": Row(
        "Verification of a full backup (PostgreSQL 15)", _verify, [
            Goal("wall", "pgmoneta --quick", 0.8, "pgBackRest p2"),
            Goal("wall", OURS, 2.0, "pgBackRest p2"),
            Goal("memory", OURS, MEMORY_LIMIT)]),
    "memory": Row(
        "Memory does not grow with the database (PostgreSQL 17; peak of the process)", _memory, [
            Goal("memory", f"{command}", 1.1, f"{command}, a tenth", lowest=0.9)
            for command in ("backup", "verify", "restore", "archive")] + [
            Goal("memory", "archive", MEMORY_LIMIT)], most_turns=3),
    "list": Row(
        "list-backup with 1000 backups (local directory)", _list, [Goal("wall", "list-backup", 0.5)],
        runs=3),
    "start": Row(
        "Start of the program (/bin/true shows what starting and measuring cost)", _start, [
            Goal("wall", "--version", 0.03)], runs=10),
} | GROWTH_ROWS | TARGET_ROWS | CHAIN_ROWS | WAL_ROWS
