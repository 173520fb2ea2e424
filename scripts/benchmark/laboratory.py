"""What the rows of a benchmark share: clusters, folders, and the programs under test."""
import os
import shutil

from .account import Account, Failure
from .cluster import Cluster
from .database import fill
from .machine import load, say
from .workspace import Workspace


class Laboratory:
    """Makes each cluster when it is first asked for, and ends all of them."""

    def __init__(self, root, built, folder, scale):
        os.chmod(folder, 0o755)
        self.scale = scale
        self.folder = folder
        home = f"{folder}/home"
        self.account = Account(home)
        self.account.make_folder(home)
        self.workspace = Workspace(folder, self.account)
        self.clusters = {}
        # Servers and relays of places; ended at the end.
        self.processes = []
        self.faults = {}
        # Copies, because the account may not be allowed to enter the folder of this repository.
        self.programs = f"{folder}/bin"
        os.mkdir(self.programs)
        for name in ("pgmoneta-cli", "pgmoneta-admin", "pgmoneta"):
            shutil.copy2(f"{built}/{name}", self.programs)
        self.tools = f"{root}/.tools/bin"
        for major in (15, 17):
            shutil.copytree(f"{root}/.tools/postgresql/{major}", f"{folder}/postgresql-{major}", symlinks=True)

    def cluster(self, major, divided_by=1):
        """The cluster with the database of this scale, or of one that is so many times smaller."""
        return self.cluster_with(major, self.scale.divided(divided_by) if divided_by != 1 else self.scale)

    def cluster_with(self, major, scale):
        """The cluster with a database."""
        key = (major, scale)
        if key in self.faults:
            raise Failure(f"the database could not be made: {self.faults[key]}")
        if key not in self.clusters:
            say(f"making the database '{scale.name}' on PostgreSQL {major}; load average {load()}")
            cluster = Cluster(
                major, self.account, f"{self.folder}/cluster-{major}-{len(self.clusters)}",
                f"{self.folder}/postgresql-{major}/bin")
            self.clusters[key] = cluster
            try:
                fill(cluster, scale)
            except Failure as failure:
                # Half a database would give figures that look right.
                self.faults[key] = failure
                raise
        return self.clusters[key]

    def tool(self, name):
        """A program that scripts/setup brings, where the account may run it."""
        path = f"{self.programs}/{name}"
        if not os.path.exists(path):
            shutil.copy2(f"{self.tools}/{name}", path)
        return path

    def version(self, command):
        """What a program says of its version."""
        return self.account.run(command).strip().splitlines()[0]

    def end_places(self):
        """Ends the servers of places: one that tidies up would slow the next row down."""
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes.clear()

    def close(self):
        """Ends every server."""
        self.end_places()
        for cluster in self.clusters.values():
            cluster.stop()
