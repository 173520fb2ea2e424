"""The rows about targets on servers: what a server costs, and what its distance costs."""
from .measure import measure
from .pgmoneta import Pgmoneta
from .places import Bucket, LoginHost
from .row import Goal, Row
from .workspace import stored_bytes

# What is added to each answer of a server that is far away, in milliseconds.
FAR = 30
# Throughput of 60 % is a time of 1 / 0.6.
SLOWEST = 1.67
COPY = "cp -r; sync -f"
MEMORY_LIMIT = 100 * 1048576


class Installation:
    """Local targets with a backup each, and targets on one server: itself, through a relay, and through one with a delay.

    What goes through relays is a backup without compression: what is asked once and not for each byte, which a delay makes
    dearer however large a backup is, counts less then.
    """

    def __init__(self, laboratory, make_place):
        self.laboratory = laboratory
        self.place = make_place(laboratory)
        self.number = 0
        self.kept = self._keep("kept", "zstd")
        self.plain = self._keep("plain", "none")

    def _keep(self, name, compression):
        """Takes a backup to a folder and copies it to the server."""
        kept = Pgmoneta(
            self.laboratory, self.laboratory.cluster(17), compression=compression,
            targets={name: self.place.target(name)})
        kept.run("backup", "primary", "--target", "local")
        kept.run("copy", "primary", "newest", "--from", "local", "--to", name)
        return kept

    def name(self):
        """A name in the place that nothing had before."""
        self.number += 1
        return f"run-{self.number}"

    def backup(self):
        """Measures a backup to the server, into a place that is empty."""
        name = self.name()
        ours = Pgmoneta(self.laboratory, self.kept.cluster, targets={"far": self.place.target(name)})
        self.laboratory.workspace.settle(ours.cluster.data)
        sample = ours.measure("backup", "primary", "--target", "far", clusters=[ours.cluster])
        self.place.discard(name)
        ours.discard()
        return sample

    def backup_locally(self):
        """Measures a backup to a folder."""
        ours = Pgmoneta(self.laboratory, self.kept.cluster)
        sample = ours.backup()
        ours.discard()
        return sample

    def copy(self, milliseconds):
        """Measures sending the stored bytes through a relay."""
        name = self.name()
        self.plain.configure({"far": self.place.target(name, self.place.relayed(milliseconds))})
        self.laboratory.workspace.settle(self.plain.repository)
        sample = self.plain.measure("copy", "primary", "newest", "--from", "local", "--to", "far")
        self.place.discard(name)
        return sample

    def read(self, milliseconds):
        """Measures reading the stored bytes through a relay."""
        self.plain.configure({"far": self.place.target("plain", self.place.relayed(milliseconds))})
        return self.plain.measure("verify", "--quick", "primary", "newest", "--target", "far")

    def restore(self, target):
        """Measures a restore from a target."""
        return self.kept.restore("newest", "--target", target)

    def client(self, is_upload):
        """Measures the public client on the same bytes."""
        name = self.name() if is_upload else "kept"
        folder = self.kept.repository if is_upload else self.laboratory.workspace.fresh("downloaded")
        self.laboratory.workspace.settle(self.kept.repository)
        command, environment = self.place.upload(folder, name) if is_upload else self.place.download(name, folder)
        sample = measure(self.laboratory.account, command, environment=environment)
        sample.stored = stored_bytes(folder)
        if is_upload:
            self.place.discard(name)
        else:
            self.laboratory.workspace.discard(folder)
        return sample

    def copy_locally(self):
        """Measures a copy of the same bytes from folder to folder, durably."""
        folder = self.laboratory.workspace.fresh("copied")
        self.laboratory.workspace.settle(self.kept.repository)
        script = f"cp -r {self.kept.repository} {folder} && sync -f {folder}"
        sample = measure(self.laboratory.account, ["/bin/bash", "-c", script])
        sample.stored = stored_bytes(folder)
        self.laboratory.workspace.discard(folder)
        return sample


def _cases(make_place):
    def prepare(laboratory):
        ours = Installation(laboratory, make_place)
        return {
            "backup": ours.backup,
            "backup, local": ours.backup_locally,
            "restore": lambda: ours.restore("kept"),
            "restore, local": lambda: ours.restore("local"),
            "archive": lambda: ours.kept.archive("newest", "--target", "kept"),
            f"{make_place.client}, up": lambda: ours.client(True),
            f"{make_place.client}, down": lambda: ours.client(False),
            COPY: ours.copy_locally,
            "copy, relay": lambda: ours.copy(0),
            f"copy, relay + {FAR} ms": lambda: ours.copy(FAR),
            "verify --quick, relay": lambda: ours.read(0),
            f"verify --quick, relay + {FAR} ms": lambda: ours.read(FAR),
        }
    return prepare


def _goals(make_place):
    return [
        Goal("wall", "backup", 1.0, "backup, local", factor=1.25, beyond=(f"{make_place.client}, up", COPY)),
        Goal("wall", "restore", 1.0, "restore, local", factor=1.25, beyond=(f"{make_place.client}, down", COPY)),
        Goal("memory", "backup", MEMORY_LIMIT), Goal("memory", "restore", MEMORY_LIMIT),
        Goal("memory", "archive", MEMORY_LIMIT),
        Goal("wall", f"copy, relay + {FAR} ms", SLOWEST, "copy, relay"),
        Goal("wall", f"verify --quick, relay + {FAR} ms", SLOWEST, "verify --quick, relay"),
    ]


TARGET_ROWS = {
    "s3": Row(
        "Backup to a bucket and restore from it (SeaweedFS on the loopback, plain HTTP; zstd level 3)", _cases(Bucket),
        _goals(Bucket)),
    "sftp": Row(
        "Backup to an SFTP server and restore from it (sshd on the loopback; zstd level 3, durable)", _cases(LoginHost),
        _goals(LoginHost)),
}
