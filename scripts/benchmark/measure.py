"""Runs a program and measures it."""
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass

from .account import Failure


@dataclass
class Sample:
    """One run."""

    # Seconds from start to end.
    wall: float
    # CPU seconds of the program, of what it started, and of the servers' processes.
    cpu: float
    # Bytes of the largest process.
    memory: int
    # Bytes in the folder it wrote; 0 where that says nothing.
    stored: int = 0


def measure(account, command, clusters=(), environment=None):
    """Runs a program to its end. Throws `Failure` when it fails."""
    with tempfile.TemporaryFile("w+") as output, tempfile.NamedTemporaryFile("r") as usage:
        account.own(usage.name)
        # GNU time starts the program from a small process; started from here, the program would be charged with our memory.
        command = ["/usr/bin/time", "-q", "-f", "%M", "-o", usage.name, *command]
        before = sum(cluster.cpu_seconds() for cluster in clusters)
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=account.home, env=account.environment | (environment or {}), stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, **account.identity())
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu = used.ru_utime + used.ru_stime + sum(cluster.cpu_seconds() for cluster in clusters) - before
        output.seek(0)
        said = output.read()
        if process.returncode != 0:
            raise Failure(f"{' '.join(command[6:])} ended with {process.returncode}\n{said[-4000:]}")
        return Sample(wall, cpu, int(usage.read().split()[-1]) * 1024)
