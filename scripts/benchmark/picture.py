"""Draws figures as SVG."""
import math
from html import escape
from statistics import median

WIDTH = 760
COLOURS = ["#0072b2", "#d55e00", "#56b4e9", "#e69f00", "#009e73", "#cc79a7"]


def draw(result):
    """The picture of a row; None for one that compares no times."""
    if result.fault:
        return None
    if result.row.lines:
        return _lines(result)
    if any(goal.metric == "wall" and goal.peer for goal in result.row.goals):
        return _bars(result)
    return None


def _svg(height, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>', *parts, "</svg>", ""])


def _text(x, y, words, anchor="start", weight="normal"):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>'


def _bars(result):
    """A bar for each program's median, and a line from its lowest to its highest run."""
    walls = {name: [sample.wall for sample in samples] for name, samples in result.samples.items()}
    left, right, step = 330, 70, 30
    scale = (WIDTH - left - right) / max(max(wall) for wall in walls.values())
    parts = [_text(10, 22, result.row.title, weight="bold")]
    for number, (name, wall) in enumerate(walls.items()):
        y = 40 + number * step
        colour = COLOURS[0] if name.startswith("pgmoneta") else COLOURS[1]
        parts += [
            _text(left - 8, y + 15, name, "end"),
            f'<rect x="{left}" y="{y}" width="{median(wall) * scale:.1f}" height="20" fill="{colour}"/>',
            f'<path d="M{left + min(wall) * scale:.1f} {y + 10}H{left + max(wall) * scale:.1f}" stroke="#000"/>',
            _text(left + max(wall) * scale + 6, y + 15, f"{median(wall):.2f} s"),
        ]
    return _svg(50 + len(walls) * step, parts)


def _lines(result):
    """Medians over the size of the work, both in powers of ten."""
    points = {}
    for case, (line, place) in result.row.lines.items():
        points.setdefault(line, []).append((place, median(sample.wall for sample in result.samples[case])))
    every = [point for line in points.values() for point in line]
    left, right, top, height = 60, 220, 40, 300
    low_x, high_x = (math.log10(edge(x for x, _ in every)) for edge in (min, max))
    low_y, high_y = (math.log10(edge(y for _, y in every)) for edge in (min, max))

    def at(x, y):
        across = (math.log10(x) - low_x) / (high_x - low_x)
        up = (math.log10(y) - low_y) / (high_y - low_y)
        return left + across * (WIDTH - left - right), top + (1 - up) * height

    parts = [_text(10, 22, result.row.title, weight="bold")]
    for x in sorted({x for x, _ in every}):
        across, _ = at(x, 10 ** low_y)
        parts += [
            f'<path d="M{across:.1f} {top}V{top + height}" stroke="#ddd"/>',
            _text(across, top + height + 18, f"{x:.3g}" if x < 100 else f"{x:,.0f}", "middle")]
    for exponent in range(math.floor(low_y), math.ceil(high_y) + 1):
        for y in (10 ** exponent, 3 * 10 ** exponent):
            if low_y <= math.log10(y) <= high_y:
                _, down = at(10 ** low_x, y)
                parts += [
                    f'<path d="M{left} {down:.1f}H{WIDTH - right}" stroke="#ddd"/>', _text(left - 8, down + 5, f"{y:g} s", "end")]
    parts.append(_text((left + WIDTH - right) / 2, top + height + 38, result.row.axis, "middle"))
    for number, (line, some) in enumerate(points.items()):
        colour = COLOURS[number]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in sorted(some)))
        y = top + 20 + number * 24
        parts += [
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<path d="M{WIDTH - right + 14} {y - 5}h24" stroke="{colour}" stroke-width="3"/>',
            _text(WIDTH - right + 44, y, line)]
    return _svg(top + height + 50, parts)
