"""The programs that pgmoneta is compared with."""
import os

from .measure import measure
from .workspace import stored_bytes


class BaseBackup:
    """`pg_basebackup`, writing compressed tar files. It makes them durable before it ends, which is its default."""

    def __init__(self, laboratory, cluster, compression):
        self.laboratory = laboratory
        self.cluster = cluster
        self.compression = compression

    def take(self, folder):
        """The command line that writes a backup to an empty folder."""
        return [
            f"{self.cluster.programs}/pg_basebackup", "-Ft", "-X", "stream", "-c", "fast",
            f"--compress={self.compression}", "-D", folder, *self.cluster.connection()]

    def backup(self, manifest=None):
        """Measures a full backup, or an incremental one on the backup with that manifest."""
        folder = self.laboratory.workspace.fresh("pg_basebackup")
        self.laboratory.workspace.settle(self.cluster.data)
        command = self.take(folder) + ([f"--incremental={manifest}"] if manifest else [])
        sample = measure(self.laboratory.account, command, [self.cluster])
        sample.stored = stored_bytes(folder)
        self.laboratory.workspace.discard(folder)
        return sample

    def restore(self, folder):
        """Measures unpacking a backup that was taken to that folder, durably."""
        target = self.laboratory.workspace.fresh("unpacked")
        self.laboratory.workspace.settle(folder)
        script = (
            f"zstd -q -dc {folder}/base.tar.zst | tar -x -C {target} && tar -x -f {folder}/pg_wal.tar -C {target}/pg_wal"
            f" && sync -f {target}")
        sample = measure(self.laboratory.account, ["/bin/bash", "-c", f"set -o pipefail; {script}"])
        sample.stored = stored_bytes(target)
        self.laboratory.workspace.discard(target)
        return sample


class CombinedBackup:
    """A chain of `pg_basebackup` with zstd, put together by `pg_combinebackup`, which needs all of it unpacked first."""

    def __init__(self, laboratory, cluster):
        self.laboratory = laboratory
        self.cluster = cluster
        self.base_backup = BaseBackup(laboratory, cluster, "client-zstd:3")
        self.folders = [laboratory.workspace.fresh("chain")]
        laboratory.account.run(self.base_backup.take(self.folders[0]))

    def increment(self):
        """Takes an incremental backup on the last one."""
        folder = self.laboratory.workspace.fresh("chain")
        self.laboratory.account.run(
            [*self.base_backup.take(folder), f"--incremental={self.folders[-1]}/backup_manifest"])
        self.folders.append(folder)

    def restore(self, count):
        """Measures unpacking the full backup and that many others, and combining them, durably."""
        work = self.laboratory.workspace.fresh("combined")
        self.laboratory.workspace.settle(*self.folders)
        steps, inputs = [], []
        for number, folder in enumerate(self.folders[:count + 1]):
            inputs.append(f"{work}/{number}")
            steps.append(
                f"mkdir -m 700 {work}/{number} && zstd -q -dc {folder}/base.tar.zst | tar -x -C {work}/{number}"
                f" && tar -x -f {folder}/pg_wal.tar -C {work}/{number}/pg_wal && cp {folder}/backup_manifest {work}/{number}")
        combine = f"{self.cluster.programs}/pg_combinebackup --no-sync -o {work}/output {' '.join(inputs)}"
        script = " && ".join([*steps, combine, f"sync -f {work}/output"])
        sample = measure(self.laboratory.account, ["/bin/bash", "-c", f"set -o pipefail; {script}"])
        sample.stored = stored_bytes(os.path.join(work, "output"))
        self.laboratory.workspace.discard(work)
        return sample


class PgBackRest:
    """pgBackRest with a repository of its own, two processes, zstd level 3 and bundles.

    Debian 12 has version 2.45, which knows PostgreSQL up to 15 and has no block incremental backup.
    """

    def __init__(self, laboratory, cluster):
        self.laboratory = laboratory
        self.cluster = cluster
        self.folder = laboratory.workspace.fresh("pgbackrest")
        account = laboratory.account
        for name in ("repository", "log", "lock", "spool"):
            account.make_folder(f"{self.folder}/{name}")
        account.write(f"{self.folder}/pgbackrest.conf", "\n".join([
            "[global]", f"repo1-path={self.folder}/repository", f"log-path={self.folder}/log",
            f"lock-path={self.folder}/lock", f"spool-path={self.folder}/spool", "repo1-bundle=y", "compress-type=zst",
            "compress-level=3", "process-max=2", "start-fast=y", "archive-check=n", "expire-auto=n",
            "repo1-retention-full=99", "log-level-console=error", "[main]", f"pg1-path={cluster.data}",
            f"pg1-socket-path={cluster.folder}", f"pg1-port={cluster.port}", "pg1-user=postgres", ""]))
        account.run(self.command("stanza-create"))

    def command(self, *arguments):
        """A command line of `pgbackrest`."""
        return ["pgbackrest", f"--config={self.folder}/pgbackrest.conf", "--stanza=main", *arguments]

    def backup(self):
        """Measures a full backup."""
        self.laboratory.workspace.settle(self.cluster.data)
        sample = measure(self.laboratory.account, self.command("--type=full", "backup"), [self.cluster])
        sample.stored = stored_bytes(f"{self.folder}/repository")
        return sample

    def restore(self):
        """Measures a restore of the newest backup to a fresh folder."""
        target = self.laboratory.workspace.fresh("restored")
        self.laboratory.workspace.settle(f"{self.folder}/repository")
        sample = measure(
            self.laboratory.account, self.command(f"--pg1-path={target}", "--archive-mode=off", "restore"))
        sample.stored = stored_bytes(target)
        self.laboratory.workspace.discard(target)
        return sample

    def verify(self):
        """Measures a verification of the repository. pgBackRest 2.45 hashes the stored bytes and does not decode them."""
        self.laboratory.workspace.settle(f"{self.folder}/repository")
        return measure(self.laboratory.account, self.command("verify"))

    def discard(self):
        """Puts the repository aside."""
        self.laboratory.workspace.discard(self.folder)
