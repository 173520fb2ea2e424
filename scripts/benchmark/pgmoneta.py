"""The program under test."""
import json
import os

from .measure import measure
from .workspace import stored_bytes


class Pgmoneta:
    """A repository of its own with one server, `primary`."""

    def __init__(self, laboratory, cluster, encryption="none", compression="zstd", targets=None):
        self.laboratory = laboratory
        self.cluster = cluster
        self.encryption = encryption
        self.compression = compression
        self.folder = laboratory.workspace.fresh("pgmoneta")
        self.repository = laboratory.account.make_folder(f"{self.folder}/repository")
        self.configure(targets or {})
        if encryption != "none" and not os.path.exists(f"{laboratory.account.home}/.pgmoneta/master.key"):
            laboratory.account.run([f"{laboratory.programs}/pgmoneta-admin", "master-key"])

    def configure(self, targets):
        """Writes the configuration: the local target, and others by their names with the lines of their sections."""
        cluster = self.cluster
        sections = [line for name, lines in targets.items() for line in (f"[target:{name}]", *lines)]
        self.laboratory.account.write(f"{self.folder}/pgmoneta.conf", "\n".join([
            "[pgmoneta]", f"base_dir = {self.repository}", f"target = {', '.join(['local', *targets])}",
            f"compression = {self.compression}", "compression_level = 3", f"encryption = {self.encryption}", "[primary]",
            f"host = {cluster.folder}", f"port = {cluster.port}", "user = postgres", *sections, ""]))

    def command(self, *arguments):
        """A command line of `pgmoneta-cli`."""
        return [f"{self.laboratory.programs}/pgmoneta-cli", "-c", f"{self.folder}/pgmoneta.conf", *arguments]

    def run(self, *arguments):
        """Runs a command that is not measured."""
        return self.laboratory.account.run(self.command(*arguments))

    def measure(self, *arguments, clusters=()):
        """Runs a command and measures it."""
        return measure(self.laboratory.account, self.command(*arguments), clusters)

    def backup(self, *parent):
        """Measures a full backup, or an incremental one on a parent."""
        self.laboratory.workspace.settle(self.cluster.data)
        before = stored_bytes(self.repository)
        sample = self.measure("backup", "primary", *parent, clusters=[self.cluster])
        sample.stored = stored_bytes(self.repository) - before
        return sample

    def labels(self):
        """The labels of all backups, oldest first."""
        return sorted(os.listdir(f"{self.repository}/primary/backup"))

    def restore(self, identifier="newest", *options):
        """Measures a restore of a backup to a fresh folder."""
        target = self.laboratory.workspace.fresh("restored")
        self.laboratory.workspace.settle(self.repository)
        sample = self.measure("restore", "primary", identifier, target, *options)
        sample.stored = stored_bytes(target)
        self.laboratory.workspace.discard(target)
        return sample

    def archive(self, identifier="newest", *options):
        """Measures a tar file of a backup, made in a fresh folder."""
        target = self.laboratory.workspace.fresh("archived")
        self.laboratory.workspace.settle(self.repository)
        sample = self.measure("archive", "primary", identifier, target, *options)
        sample.stored = stored_bytes(target)
        self.laboratory.workspace.discard(target)
        return sample

    def verify(self, *options):
        """Measures a verification of the newest backup."""
        self.laboratory.workspace.settle(self.repository)
        return self.measure("verify", *options, "primary", "newest")

    def discard(self):
        """Puts the repository aside."""
        self.laboratory.workspace.discard(self.folder)

    def multiply(self, count):
        """Makes many backups of the only one: records with labels of their own, other objects as hard links.

        It rewrites the label in the record, which only an unencrypted repository allows.
        """
        folder = f"{self.repository}/primary/backup"
        [label] = os.listdir(folder)
        with open(f"{folder}/{label}/backup.info", encoding="utf-8") as file:
            record = json.load(file)
        for number in range(1, count):
            other = f"{20200101000000 + number // 60 * 100 + number % 60}"
            for parent, _, names in os.walk(f"{folder}/{label}"):
                copy = parent.replace(label, other)
                self.laboratory.account.make_folder(copy)
                for name in names:
                    if name != "backup.info":
                        os.link(f"{parent}/{name}", f"{copy}/{name}")
            self.laboratory.account.write(
                f"{folder}/{other}/backup.info",
                json.dumps(record | {"label": other}, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
