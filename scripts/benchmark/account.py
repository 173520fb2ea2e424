"""The user that servers and measured programs run as."""
import os
import pwd
import subprocess


class Failure(Exception):
    """A program ended with an error; a failed run is not a fast one, so its row gives no figures."""


class Account:
    """This user, or `postgres` when this is root: a PostgreSQL server refuses root."""

    def __init__(self, home):
        self.home = home
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.environment = {"HOME": home, "LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"}

    def identity(self):
        """Arguments of subprocess that make a program run as this user."""
        if self.user is None:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def make_folder(self, path):
        """Makes a folder that only this user may enter."""
        os.mkdir(path, 0o700)
        self.own(path)
        return path

    def own(self, path):
        """Gives one file or folder to this user."""
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def write(self, path, text):
        """Writes a file that only this user may read."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        self.own(path)

    def run(self, command, text=None, environment=None):
        """Runs a program that is not measured and returns its output. Throws `Failure`."""
        done = subprocess.run(
            command, input=text, cwd=self.home, env=self.environment | (environment or {}), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **self.identity())
        if done.returncode != 0:
            raise Failure(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout
