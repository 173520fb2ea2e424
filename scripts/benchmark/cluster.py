"""A PostgreSQL cluster to be backed up."""
import os
import subprocess

from .workspace import stored_bytes

TICKS = os.sysconf("SC_CLK_TCK")

SETTINGS = {
    "listen_addresses": "''",
    "wal_level": "replica",
    "shared_buffers": "512MB",
    "min_wal_size": "64MB",
    "max_wal_size": "1GB",
    "max_wal_senders": "40",
    "max_replication_slots": "40",
    "max_locks_per_transaction": "256",
    "max_prepared_transactions": "0",
    "autovacuum": "off",
}


class Cluster:
    """A running cluster of one major version, reached through the Unix socket in its folder."""

    port = 5432

    def __init__(self, major, account, folder, programs):
        self.major = major
        self.account = account
        self.folder = account.make_folder(folder)
        self.data = f"{folder}/data"
        self.programs = programs
        account.run([
            f"{programs}/initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
            "--data-checksums", "--no-sync"])
        settings = SETTINGS | {"unix_socket_directories": f"'{folder}'"}
        if major >= 17:
            settings["summarize_wal"] = "on"
        with open(f"{self.data}/postgresql.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        self.start()

    def start(self):
        """Starts the server and waits for it."""
        self._control("start", "-l", f"{self.folder}/log", "-t", "120")

    def stop(self):
        """Ends the server; nothing else."""
        if os.path.exists(f"{self.data}/postmaster.pid"):
            self._control("stop", "-m", "immediate")

    def _control(self, verb, *arguments):
        # pg_ctl's output goes nowhere: the server would hold a pipe open.
        subprocess.run(
            [f"{self.programs}/pg_ctl", "-D", self.data, "-w", *arguments, verb], check=True, cwd=self.folder,
            env=self.account.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            **self.account.identity())

    def sql(self, text):
        """Runs statements and returns the rows as text."""
        return self.account.run(
            [f"{self.programs}/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-", *self.connection()],
            text=text).strip()

    def connection(self):
        """Arguments that make PostgreSQL's own programs connect."""
        return ["-h", self.folder, "-p", str(self.port), "-U", "postgres"]

    def byte_count(self):
        """Bytes of its files without the WAL."""
        return stored_bytes(self.data) - stored_bytes(f"{self.data}/pg_wal")

    def cpu_seconds(self):
        """CPU seconds that the server has used since its start, with all its processes, the ended ones too."""
        with open(f"{self.data}/postmaster.pid", encoding="utf-8") as file:
            postmaster = int(file.readline())
        user, system, ended_user, ended_system = _times(postmaster)
        ticks = user + system + ended_user + ended_system
        for child in _children(postmaster):
            try:
                ticks += sum(_times(child)[:2])
            except (FileNotFoundError, ProcessLookupError):
                pass  # it ended just now
        return ticks / TICKS


def _times(process):
    """The fields utime, stime, cutime, cstime of proc_pid_stat(5)."""
    with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return [int(field) for field in fields[11:15]]


def _children(process):
    with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]
