"""The rows about WAL: receiving it, waiting for it, and fetching it back."""
import os
import shlex
import subprocess
import time

from .account import Failure
from .cluster import Cluster
from .measure import Sample, measure
from .pgmoneta import Pgmoneta
from .places import Bucket, free_ports
from .row import Goal, Row

OURS = "pgmoneta"
RECEIVED = "pgmoneta, on its disk"
STORED = "pgmoneta, and stored"
# WAL that waits behind a slot, in rows of about 1 KiB.
ROWS = {"full": 600_000, "small": 60_000}
SEGMENTS = {"full": 200, "small": 20}
SERVERS = 10
# How long an idle daemon is looked at.
IDLE_SECONDS = 10


class Receiving:
    """A slot that keeps WAL, and copies of it from which the programs receive the same WAL."""

    def __init__(self, laboratory):
        self.laboratory = laboratory
        self.cluster = laboratory.cluster(17, 10)
        self.number = 0
        sql = self.cluster.sql
        sql("SELECT pg_create_physical_replication_slot('keeper', true)")
        sql("SELECT pg_switch_wal()")
        sql("CREATE TABLE received (i int, text text)")
        sql(
            "INSERT INTO received SELECT i, (SELECT string_agg(md5(i::text || j), ' ') FROM generate_series(1, 30) j) "
            f"FROM generate_series(1, {ROWS[laboratory.scale.name]}) i")
        self.last = sql("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
        sql("SELECT pg_switch_wal()")
        self.end = sql("SELECT pg_current_wal_lsn()")
        # A program that waits for a position wants to see a record behind it.
        sql("SELECT pg_logical_emit_message(false, 'bench', repeat('x', 10000)); CHECKPOINT")

    def slot(self):
        """Makes a slot that begins where all begin."""
        self.number += 1
        name = f"run_{self.number}"
        self.cluster.sql(f"SELECT pg_copy_physical_replication_slot('keeper', '{name}')")
        return name

    def _finish(self, sample, slot, folder):
        self.cluster.sql(f"SELECT pg_drop_replication_slot('{slot}')")
        self.laboratory.workspace.discard(folder)
        return sample

    def received(self):
        """Measures the daemon from its start until all is on its disk, and the server knows that."""
        slot = self.slot()
        statement = (
            f"DO $$ BEGIN WHILE (SELECT restart_lsn < '{self.end}' FROM pg_replication_slots WHERE slot_name = '{slot}') "
            "LOOP PERFORM pg_sleep(0.02); END LOOP; END $$")
        psql = " ".join([f"{self.cluster.programs}/psql", "-X", *self.cluster.connection(), "-d", "postgres"])
        return self._ours(slot, lambda _: f"{psql} -qc {shlex.quote(statement)}")

    def stored(self):
        """Measures the daemon from its start until the last segment is stored."""
        def wait(program):
            record = f"{program.repository}/server0/wal/{self.last[:8]}/{self.last}.json"
            return f"until [ -e {record} ]; do sleep 0.02; done"
        return self._ours(self.slot(), wait)

    def _ours(self, slot, wait):
        program = Daemon(self.laboratory, self.cluster, [slot])
        script = f"{' '.join(program.command())} & {wait(program)}; kill $!; wait $!"
        self.laboratory.workspace.settle(f"{self.cluster.data}/pg_wal")
        sample = measure(self.laboratory.account, ["/bin/bash", "-c", script], [self.cluster])
        return self._finish(sample, slot, program.folder)

    def peer(self):
        """Measures `pg_receivewal` until it has the last segment."""
        slot = self.slot()
        folder = self.laboratory.workspace.fresh("pg_receivewal")
        self.laboratory.workspace.settle(f"{self.cluster.data}/pg_wal")
        sample = measure(self.laboratory.account, [
            f"{self.cluster.programs}/pg_receivewal", "-S", slot, "-D", folder, "--compress=lz4", f"--endpos={self.end}",
            "--no-loop", *self.cluster.connection()], [self.cluster])
        return self._finish(sample, slot, folder)


class Daemon:
    """The daemon with a server for each slot, all of them the same cluster."""

    def __init__(self, laboratory, cluster, slots):
        self.laboratory = laboratory
        self.folder = laboratory.workspace.fresh("daemon")
        self.repository = laboratory.account.make_folder(f"{self.folder}/repository")
        servers = [line for number, slot in enumerate(slots) for line in (
            f"[server{number}]", f"host = {cluster.folder}", f"port = {cluster.port}", "user = postgres", f"wal_slot = {slot}",
            "create_slot = on")]
        [port] = free_ports(1)
        laboratory.account.write(f"{self.folder}/pgmoneta.conf", "\n".join([
            "[pgmoneta]", f"base_dir = {self.repository}", f"spool = {self.folder}/spool", "compression = lz4",
            f"unix_socket_dir = {self.folder}", f"metrics = {port}", "log_level = error", *servers, ""]))

    def command(self):
        """The command line."""
        return [f"{self.laboratory.programs}/pgmoneta", "-c", f"{self.folder}/pgmoneta.conf"]


def _idle(laboratory):
    """Measures the CPU and memory of a daemon that receives from servers on which nothing happens."""
    cluster = laboratory.cluster(17, 10)

    def case():
        daemon = Daemon(laboratory, cluster, [f"idle_{number}" for number in range(SERVERS)])
        process = subprocess.Popen(
            daemon.command(), cwd=laboratory.account.home, env=laboratory.account.environment, stdin=subprocess.DEVNULL,
            **laboratory.account.identity())
        try:
            deadline = time.monotonic() + 60
            while cluster.sql("SELECT count(*) FROM pg_stat_replication") != str(SERVERS):
                if time.monotonic() > deadline:
                    raise Failure("the daemon does not receive from all servers")
                time.sleep(0.2)
            time.sleep(IDLE_SECONDS)
            before = _cpu(process.pid)
            time.sleep(IDLE_SECONDS)
            cpu = _cpu(process.pid) - before
            with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
                [peak] = [line.split()[1] for line in file if line.startswith("VmHWM:")]
        finally:
            process.terminate()
            process.wait()
        for number in range(SERVERS):
            cluster.sql(f"SELECT pg_drop_replication_slot('idle_{number}')")
        laboratory.workspace.discard(daemon.folder)
        return Sample(IDLE_SECONDS, cpu, int(peak) * 1024)

    return {OURS: case}


def _cpu(process):
    with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Fetching:
    """The same segments in one bucket for both programs, and what a server asks for during a recovery."""

    def __init__(self, laboratory):
        self.laboratory = laboratory
        account = laboratory.account
        self.cluster = laboratory.clusters[("wal", 15)] = Cluster(
            15, account, f"{laboratory.folder}/cluster-wal", f"{laboratory.folder}/postgresql-15/bin")
        self.cluster.sql("ALTER SYSTEM SET wal_keep_size = '16GB'")
        self.cluster.sql("SELECT pg_reload_conf()")
        self.cluster.sql("CREATE TABLE w (i int, text text)")
        self.names = []
        for _ in range(SEGMENTS[laboratory.scale.name]):
            self.cluster.sql("INSERT INTO w SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 12000) i")
            self.names.append(self.cluster.sql("SELECT pg_walfile_name(pg_current_wal_insert_lsn())"))
            self.cluster.sql("SELECT pg_switch_wal()")
        bucket = Bucket(laboratory)
        self.ours = Pgmoneta(laboratory, self.cluster, targets={"far": bucket.target("wal")})
        self.folder = laboratory.workspace.fresh("pgbackrest")
        for name in ("log", "lock", "spool"):
            account.make_folder(f"{self.folder}/{name}")
        account.write(f"{self.folder}/pgbackrest.conf", "\n".join([
            "[global]", "repo1-type=s3", "repo1-path=/pgbackrest", "repo1-s3-bucket=bench", "repo1-s3-region=us-east-1",
            f"repo1-s3-endpoint=127.0.0.1:{bucket.tls_port}", "repo1-s3-uri-style=path", "repo1-s3-key=AKIDBENCH",
            "repo1-s3-key-secret=SECRETBENCH", "repo1-storage-verify-tls=n", f"log-path={self.folder}/log",
            f"lock-path={self.folder}/lock", f"spool-path={self.folder}/spool", "compress-type=zst", "compress-level=3",
            "process-max=2", "archive-async=y", "log-level-console=error", "[main]", f"pg1-path={self.cluster.data}",
            f"pg1-socket-path={self.cluster.folder}", f"pg1-port={self.cluster.port}", "pg1-user=postgres", ""]))
        account.run(self.pgbackrest("stanza-create"))
        for name in self.names:
            path = f"{self.cluster.data}/pg_wal/{name}"
            self.ours.run("wal-push", "primary", path, "--target", "far")
            account.run(self.pgbackrest("--no-archive-async", "archive-push", path))

    def pgbackrest(self, *arguments):
        """A command line of `pgbackrest`."""
        return ["pgbackrest", f"--config={self.folder}/pgbackrest.conf", "--stanza=main", *arguments]

    def fetch(self, command):
        """Measures asking for one segment after the other, as a server does that has nothing to replay."""
        target = self.laboratory.workspace.fresh("fetched")
        asked = " ".join(self.names)
        script = f"for name in {asked}; do {' '.join(command)} $name {target}/RECOVERYXLOG || exit 1; done"
        sample = measure(self.laboratory.account, ["/bin/bash", "-c", script])
        self.laboratory.workspace.discard(target)
        return sample

    def fetch_with_pgbackrest(self):
        """Measures pgBackRest with an empty spool."""
        self.laboratory.workspace.discard(f"{self.folder}/spool")
        self.laboratory.account.make_folder(f"{self.folder}/spool")
        sample = self.fetch(self.pgbackrest("archive-get"))
        return sample


def _fetch(laboratory):
    row = Fetching(laboratory)
    return {
        OURS: lambda: row.fetch(row.ours.command("--target", "far", "wal-fetch", "primary")),
        "pgBackRest archive-get, async p2": row.fetch_with_pgbackrest,
    }


def _receive(laboratory):
    row = Receiving(laboratory)
    return {RECEIVED: row.received, STORED: row.stored, "pg_receivewal": row.peer}


WAL_ROWS = {
    "receive": Row(
        "Receiving WAL that waits behind a slot (PostgreSQL 17; lz4)", _receive, [
            Goal("wall", RECEIVED, 1.0, "pg_receivewal"), Goal("wall", STORED, 1.0, "pg_receivewal"),
            Goal("memory", STORED, 100 * 1048576)]),
    "idle": Row(
        f"A daemon that receives from {SERVERS} servers on which nothing happens, {IDLE_SECONDS} s (PostgreSQL 17)", _idle, [
            Goal("cpu", OURS, IDLE_SECONDS / 100), Goal("memory", OURS, 100 * 1048576)]),
    "fetch": Row(
        "Fetching WAL one segment after the other from a bucket (PostgreSQL 15; SeaweedFS; zstd)", _fetch, [
            Goal("wall", OURS, 1.0, "pgBackRest archive-get, async p2")]),
}
