"""The rows about growth: the same work on databases of several sizes, and of several numbers of tables."""
from fractions import Fraction

from .database import Scale
from .peers import PgBackRest
from .pgmoneta import Pgmoneta
from .row import Row, once

# Parts of the database of the scale that was asked for: about 0.3, 1, 3 and 10 GB at full scale.
SIZES = [Fraction(10), Fraction(3), Fraction(1), Fraction(2, 7)]
TABLES = [100, 1000, 10_000]


def _cases(laboratory, clusters):
    """Backups and restores of both programs on each cluster.

    Returns the cases, and for each of them the name of its line in the picture and its place on the lower axis.
    """
    cases, lines = {}, {}
    for place, (words, cluster) in clusters.items():
        ours, peer = Pgmoneta(laboratory, cluster), PgBackRest(laboratory, cluster)
        ours.backup()
        peer.backup()
        for name, case in {
            "pgmoneta backup": once(lambda cluster=cluster: Pgmoneta(laboratory, cluster)),
            "pgBackRest p2 backup": once(lambda cluster=cluster: PgBackRest(laboratory, cluster)),
            "pgmoneta restore": ours.restore,
            "pgBackRest p2 restore": peer.restore,
        }.items():
            cases[f"{name}, {words}"] = case
            lines[f"{name}, {words}"] = (name, place)
    return cases, lines


def _sizes(laboratory, row):
    clusters = {}
    for by in SIZES:
        cluster = laboratory.cluster(15, by)
        size = cluster.byte_count() / 1e9
        clusters[size] = (f"{size:.2f} GB", cluster)
    cases, row.lines = _cases(laboratory, clusters)
    return cases


def _tables(laboratory, row):
    clusters = {}
    for count in TABLES:
        scale = Scale(f"{count} tables", pgbench=1, noise_rows=1000, log_rows=1000, tables=count)
        clusters[count] = (scale.name, laboratory.cluster_with(15, scale))
    cases, row.lines = _cases(laboratory, clusters)
    return cases


def _row(title, axis, prepare):
    row = Row(title, lambda laboratory: prepare(laboratory, row), [], most_turns=3, axis=axis)
    return row


GROWTH_ROWS = {
    "growth": _row("Growth with the size (PostgreSQL 15; zstd level 3, durable)", "GB", _sizes),
    "growth-tables": _row(
        "Growth with the number of tables, of about four files each (PostgreSQL 15; zstd level 3, durable)", "tables",
        _tables),
}
