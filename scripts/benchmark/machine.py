"""Facts about the machine that a figure means nothing without."""
import os
import platform
import re
import subprocess
import sys


def say(text):
    """Tells on standard error what goes on."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def load():
    """The load average of the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def facts(laboratory):
    """Lines about machine, programs and databases."""
    lines = [
        f"Machine: {os.cpu_count()} × {_processor()}, {_memory()} of memory, {_disk(laboratory.folder)}, {_system()}, "
        f"Linux {platform.release()}",
        f"PostgreSQL: {', '.join(sorted({_version(cluster) for cluster in laboratory.clusters.values()}))}",
        f"pgmoneta: {laboratory.version([f'{laboratory.programs}/pgmoneta-cli', '--version']).split()[-1]}",
        f"pgBackRest: {laboratory.version(['pgbackrest', 'version']).split()[-1]}",
        f"zstd: {re.search(r'v([0-9.]+)', laboratory.version(['zstd', '--version']))[1]}",
    ]
    for (major, scale), cluster in laboratory.clusters.items():
        files = sum(len(names) for _, _, names in os.walk(cluster.data))
        lines.append(
            f"Database '{scale.name}' on PostgreSQL {major}: {cluster.byte_count() / 1e6:,.0f} MB without WAL, in {files:,} files")
    lines.append(f"Load average at the end: {' '.join(f'{value:.1f}' for value in os.getloadavg())}")
    return lines


def _version(cluster):
    return cluster.sql("SHOW server_version").split()[0]


def _processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory():
    with open("/proc/meminfo", encoding="utf-8") as file:
        return f"{int(file.readline().split()[1]) / 1048576:.0f} GiB"


def _disk(folder):
    return subprocess.run(
        ["df", "--output=fstype", folder], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1]


def _system():
    with open("/etc/os-release", encoding="utf-8") as file:
        values = dict(line.strip().split("=", 1) for line in file if "=" in line)
    return values.get("PRETTY_NAME", "Linux").strip('"')
