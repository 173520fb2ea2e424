"""The rows about incremental backups. They come last, because they change the databases."""
import os

from .measure import Sample
from .peers import BaseBackup, CombinedBackup
from .pgmoneta import Pgmoneta
from .row import Goal, Row

MEMORY_LIMIT = 100 * 1048576


def _change(cluster, share):
    """Changes about that share of the blocks, spread over the largest table."""
    # A page of pgbench_accounts has 61 rows, and the table is a little less than half of all blocks.
    step = int(61 / (2.2 * share))
    cluster.sql(f"UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid % {step} = 0; CHECKPOINT")


def _incremental(laboratory):
    cluster = laboratory.cluster(17)
    ours = Pgmoneta(laboratory, cluster)
    ours.backup()
    full = ours.labels()[0]
    peer = BaseBackup(laboratory, cluster, "none")
    archives = laboratory.workspace.fresh("archives")
    laboratory.account.run(peer.take(archives))
    _change(cluster, 0.02)
    return {
        "pgmoneta": lambda: ours.backup(full),
        "pg_basebackup --incremental": lambda: peer.backup(f"{archives}/backup_manifest"),
    }


def _blocks(laboratory):
    cluster = laboratory.cluster(15)
    # There is no archive here: the server keeps the WAL that tells what changed.
    cluster.sql("ALTER SYSTEM SET wal_keep_size = '4GB'")
    cluster.sql("SELECT pg_reload_conf()")
    ours = Pgmoneta(laboratory, cluster)
    ours.backup()
    full = ours.labels()[0]
    _change(cluster, 0.02)
    return {
        "pgmoneta, full": ours.backup,
        "pgmoneta, incremental": lambda: ours.backup(full),
    }


def _chain(laboratory):
    cluster = laboratory.cluster(17)
    ours = Pgmoneta(laboratory, cluster)
    ours.backup()
    peer = CombinedBackup(laboratory, cluster)
    for _ in range(10):
        _change(cluster, 0.002)
        ours.backup("newest")
        peer.increment()
    labels = ours.labels()
    return {
        "pgmoneta, full": lambda: ours.restore(labels[0]),
        "pgmoneta, full + 1": lambda: ours.restore(labels[1]),
        "pgmoneta, full + 10": lambda: ours.restore(labels[10]),
        "zstd -dc; pg_combinebackup, full + 1": lambda: peer.restore(1),
        "zstd -dc; pg_combinebackup, full + 10": lambda: peer.restore(10),
        "pgmoneta verify, full + 10": ours.verify,
    }


def _delta(laboratory):
    ours = Pgmoneta(laboratory, laboratory.cluster(17))
    ours.backup()
    kept = laboratory.workspace.fresh("kept")
    ours.run("restore", "primary", "newest", kept)
    [name] = os.listdir(kept)
    files = sorted(
        os.path.join(parent, file) for parent, _, names in os.walk(f"{kept}/{name}/base") for file in names)
    touched = [file for file in files[::100] if os.path.getsize(file) > 0]

    def update() -> Sample:
        for path in touched:
            with open(path, "r+b") as file:
                file.seek(os.path.getsize(path) // 2)
                byte = file.read(1)[0]
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte ^ 0x55]))
        laboratory.workspace.settle(ours.repository, kept)
        return ours.measure("restore", "--delta", "primary", "newest", kept)

    return {"pgmoneta --delta": update, "pgmoneta": ours.restore}


def _memory(laboratory):
    ours = Pgmoneta(laboratory, laboratory.cluster(17, 10))
    ours.backup()
    for number in range(50):
        ours.cluster.sql(f"UPDATE pgbench_accounts SET abalance = {number} WHERE aid % 997 = {number}; CHECKPOINT")
        ours.run("backup", "primary", "newest")
    return {
        "restore, full + 50": ours.restore, "verify, full + 50": ours.verify, "archive, full + 50": ours.archive,
    }


CHAIN_ROWS = {
    "incremental": Row(
        "Incremental backup after 2 % of the blocks changed (PostgreSQL 17; zstd level 3, durable)", _incremental, [
            Goal("wall", "pgmoneta", 1.1, "pg_basebackup --incremental"),
            Goal("stored", "pgmoneta", 0.6, "pg_basebackup --incremental")]),
    "blocks": Row(
        "Incremental backup of a PostgreSQL that cannot make one itself, after 2 % of the blocks changed (PostgreSQL 15)",
        _blocks, [
            Goal("wall", "pgmoneta, incremental", 0.35, "pgmoneta, full"),
            Goal("memory", "pgmoneta, incremental", MEMORY_LIMIT)]),
    "chain": Row(
        "Restore of a chain (PostgreSQL 17; durable; 0.2 % of the blocks changed between two backups)", _chain, [
            Goal("wall", "pgmoneta, full + 1", 1.15, "pgmoneta, full"),
            Goal("wall", "pgmoneta, full + 10", 1.15, "pgmoneta, full"),
            Goal("wall", "pgmoneta, full + 1", 0.5, "zstd -dc; pg_combinebackup, full + 1"),
            Goal("wall", "pgmoneta, full + 10", 0.5, "zstd -dc; pg_combinebackup, full + 10"),
            Goal("memory", "pgmoneta, full + 10", MEMORY_LIMIT)]),
    "delta": Row(
        "Restore into a directory in which 1 % of the files changed (PostgreSQL 17; durable)", _delta, [
            Goal("wall", "pgmoneta --delta", 0.3, "pgmoneta")]),
    "chain-memory": Row(
        "Memory for a chain of 50 on a full backup (PostgreSQL 17, the database ten times smaller)", _memory, [
            Goal("memory", "restore, full + 50", MEMORY_LIMIT),
            Goal("memory", "verify, full + 50", MEMORY_LIMIT),
            Goal("memory", "archive, full + 50", MEMORY_LIMIT)], most_turns=2),
}
