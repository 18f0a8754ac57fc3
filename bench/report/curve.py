"""A learning curve as a picture and as a table of markdown."""

from __future__ import annotations

from pathlib import Path

from bench.board.curve import Curve, Point
from bench.files.atomic import atomic
from bench.report.plots import new_figure, save_figure
from bench.report.text import count, escape, interval, joined, number, table
from bench.store.result import safe_name

#: Okabe and Ito's colours, in the order of the legend; then with another line.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#000000")
LINES = ("-", "--", ":")


def write_curves(curves: list[Curve], folder: Path) -> Path:
    """``curves.md`` and a picture for each curve, in a folder. Returns the path of the page."""
    lines = ["# Learning curves", ""]
    for curve in curves:
        name = f"{safe_name(curve.task)}-{safe_name(curve.target)}.svg"
        _draw(curve, folder / name)
        lines += _section(curve, name)
    page = folder / "curves.md"
    with atomic(page) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return page


def _section(curve: Curve, picture: str) -> list[str]:
    ceiling = f" Noise ceiling of the replicates: {number(curve.ceiling)}." if curve.ceiling else ""
    header = ["training rows", *(escape(name) for name in curve.pairs)]
    rows = [[count(point.rows), *(_score(point, name) for name in curve.pairs)] for point in curve.points]
    return [
        f"## {escape(curve.task)}: {escape(curve.target)}",
        "",
        f"{curve.measure} on {count(curve.test_rows)} test rows of {count(curve.loci)} loci (mean over folds and seeds,"
        f" 95 % interval by locus) of models fitted on part of the training rows: whole loci, each part in the next."
        f"{ceiling} The fits are held fixed: another draw of the training rows would move the points as well.",
        "",
        f"![learning curve]({picture})",
        "",
        *table(header, rows),
        "",
        *_leads(curve),
    ]


def _score(point: Point, pair: str) -> str:
    found = point.scores.get(pair)
    return "n/a" if found is None else joined(number(found.value), interval(found.low, found.high))


def _leads(curve: Curve) -> list[str]:
    """Training rows from which on each row's pair is ahead of each column's."""
    if len(curve.pairs) < 2:
        return []
    header = ["ahead of →", *(escape(name) for name in curve.pairs)]
    rows = []
    for first in curve.pairs:
        found = [None if first == second else curve.ahead_from(first, second) for second in curve.pairs]
        cells = ["" if first == second else "never" if n is None else f"from {count(n)}"
                 for second, n in zip(curve.pairs, found, strict=True)]  # fmt: skip
        rows.append([escape(first), *cells])
    said = "Fewest training rows at which a pair (left) beats another (above): the paired interval is above 0."
    return [said, "", *table(header, rows), ""]


def _draw(curve: Curve, path: Path) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    figure = new_figure(8.5, 4.8)
    axes = figure.subplots()
    for i, name in enumerate(curve.pairs):
        points = [(point.rows, point.scores[name]) for point in curve.points if name in point.scores]
        x = [rows for rows, _ in points]
        color = COLORS[i % len(COLORS)]
        line = LINES[i // len(COLORS) % len(LINES)]
        axes.fill_between(x, [s.low for _, s in points], [s.high for _, s in points], color=color, alpha=0.12, lw=0)
        axes.plot(x, [s.value for _, s in points], line, color=color, marker="o", markersize=4, label=name)
    if curve.ceiling is not None:
        axes.axhline(curve.ceiling, color="#888888", linewidth=2, label="noise ceiling")
    axes.axhline(0, color="#222222", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xticks([point.rows for point in curve.points])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("training rows of a fold")
    axes.set_ylabel(f"{curve.measure} on test rows")
    axes.set_title(f"{curve.task}: {curve.target}", loc="left")
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    save_figure(figure, path)
