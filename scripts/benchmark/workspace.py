"""The folders of a benchmark."""
import os
import subprocess


class Workspace:
    """Gives fresh folders, and puts used ones aside.

    Nothing is unlinked between runs: on ext4, making many files soon after many were unlinked takes seconds, because inodes
    that were freed in the last minutes are passed over. Used files are truncated, so that they take no space.
    """

    def __init__(self, folder, account):
        self.folder = folder
        self.account = account
        self.trash = f"{folder}/trash"
        os.mkdir(self.trash)
        self.number = 0

    def fresh(self, name):
        """Makes a folder for one run."""
        self.number += 1
        return self.account.make_folder(f"{self.folder}/{self.number}-{name}")

    def discard(self, path):
        """Puts a folder aside without what its files hold."""
        self.number += 1
        moved = f"{self.trash}/{self.number}-{os.path.basename(path)}"
        os.rename(path, moved)
        for parent, _, names in os.walk(moved):
            for name in names:
                file = os.path.join(parent, name)
                # A hard link's file may still be in use elsewhere.
                if not os.path.islink(file) and os.stat(file).st_nlink == 1:
                    os.truncate(file, 0)

    def settle(self, *inputs):
        """Brings the inputs of the next run into memory, and writes what is not written yet."""
        for path in inputs:
            # A server's files come and go, so one that cannot be read any more is no fault.
            subprocess.run(
                f"find '{path}' -path '*/pg_wal/*' -prune -o -type f -print0 | xargs -0 -r cat", shell=True, check=False,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["sync", "-f", self.folder], check=True)


def stored_bytes(path):
    """The sum of all files' sizes in a folder."""
    return sum(os.lstat(os.path.join(parent, name)).st_size for parent, _, names in os.walk(path) for name in names)
