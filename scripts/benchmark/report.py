"""Writes the figures down."""
from statistics import median

UNITS = {"wall": "s", "cpu": "CPU s", "memory": "MiB"}


def document(arguments, chosen, facts, results, pictures):
    """The whole report, in Markdown. Rows of which there is a picture have its path in `pictures`."""
    lines = [
        "# Benchmarks",
        "",
        "Made by `scripts/bench`; do not edit. Command of this report:",
        "",
        f"    scripts/bench {' '.join(arguments)}".rstrip(),
        "",
        *(f"- {fact}" for fact in facts),
        f"- Scale: {chosen.scale}; each program ran {chosen.pairs} times, in turns, every second of them backwards",
        "",
        "Seconds are wall-clock medians, with the lowest and the highest run. CPU is of the program and of the server's "
        "processes. Memory is the peak of the largest process. Ratios count, not seconds: a ratio is the median of the ratios "
        "within each turn. Every backup and restore ends durable (`pg_basebackup` and pgBackRest do so by default).",
        "",
        "pgBackRest is Debian 12's, which knows PostgreSQL up to 15: those rows use PostgreSQL 15 for both programs. It ran "
        "with two processes, bundles, and without block incremental, which it has from 2.46 on.",
    ]
    for result in results:
        lines += ["", f"## {result.row.title}", ""]
        if result.fault:
            lines += ["No figures, because a program failed:", "", *(f"    {line}" for line in result.fault.splitlines())]
        else:
            lines += [*_figures(result)]
            if result.row.goals:
                lines += ["", *_goals(result)]
            if result.name in pictures:
                lines += ["", f"![{result.row.title}]({pictures[result.name]})"]
    return "\n".join(lines) + "\n"


def _figures(result):
    yield "| program | median s | min – max s | CPU s | memory MiB | written MB |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, samples in result.samples.items():
        wall = [sample.wall for sample in samples]
        cpu, memory, stored = (median(getattr(sample, key) for sample in samples) for key in ("cpu", "memory", "stored"))
        written = f"{stored / 1e6:,.1f}" if stored else ""
        yield (
            f"| `{name}` | {median(wall):.3f} | {min(wall):.3f} – {max(wall):.3f} | {cpu:.2f} | {memory / 1048576:.1f} "
            f"| {written} |").replace(" |  |", " | |").replace("zstd -dc | tar", "zstd -dc \\| tar")


def _goals(result):
    yield "| goal | limit | measured | |"
    yield "|---|--:|--:|---|"
    for goal in result.row.goals:
        value = measured(goal, result.samples)
        is_met = goal.lowest <= value <= goal.highest
        yield (
            f"| {_title(goal).replace('|', chr(92) + '|')} | {_limit(goal)} | {_shown(goal, value)} "
            f"| {'met' if is_met else '**missed**'} |")


def measured(goal, samples):
    """The value that a goal is about: a median, or the median of the ratios within each turn."""
    own = [getattr(sample, goal.metric) for sample in samples[goal.case]]
    if not goal.peer:
        return median(own)
    other = [goal.factor * getattr(sample, goal.metric) for sample in samples[goal.peer]]
    if goal.beyond:
        first, second = ([getattr(sample, goal.metric) for sample in samples[case]] for case in goal.beyond)
        other = [theirs + max(0, more - less) for theirs, more, less in zip(other, first, second)]
    return median(mine / theirs for mine, theirs in zip(own, other))


def _title(goal):
    if not goal.peer:
        return f"{goal.metric}, `{goal.case}`"
    if not goal.beyond:
        return f"{goal.metric}, `{goal.case}` ÷ `{goal.peer}`"
    first, second = goal.beyond
    return f"{goal.metric}, `{goal.case}` ÷ ({goal.factor} × `{goal.peer}` + `{first}` − `{second}`)"


def _limit(goal):
    if goal.peer:
        return f"{goal.lowest} – {goal.highest}" if goal.lowest else f"≤ {goal.highest}"
    return f"≤ {_shown(goal, goal.highest)}"


def _shown(goal, value):
    if goal.peer:
        return f"{value:.2f}"
    if goal.metric == "memory":
        return f"{value / 1048576:.1f} {UNITS[goal.metric]}"
    return f"{value:.3f} {UNITS[goal.metric]}"
