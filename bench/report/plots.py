"""Pictures of the leaderboard, as SVG: scores under the noise ceiling, and predicted against measured values.

Equal inputs give equal bytes: no dates, a fixed salt for identifiers. Density is a small embedded image, so that a
file's size does not grow with the rows.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from bench.board.figure import Estimate
from bench.board.load import BoardFiles, PartPredictions, TaskFiles, load_part, load_rows, target_values
from bench.board.schema import BoardSummary, CeilingSummary, RowSummary, Summary
from bench.errors import BenchError
from bench.files.atomic import atomic
from bench.report.summary_table import has_many_targets
from bench.report.text import number
from bench.store.result import safe_name
from bench.tasks.task import TEST, TRAIN, VALID

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito's colours, told apart with every common colour blindness; each kind also has its own marker.
KINDS = {
    "GC-only": ("#E69F00", "s"),
    "sequence": ("#0072B2", "o"),
    "deep": ("#009E73", "D"),
    "baseline": ("#888888", "v"),
}
STYLE = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "svg.fonttype": "none",
    "svg.hashsalt": "bench",
    "text.parse_math": False,
}
#: Fewest and most bins of the density image per side: fine enough for a cloud's shape, a few kB a panel.
BINS = (16, 64)
#: Share of rows beyond either end of an axis, put into the edge bins: a few outliers must not squeeze the rest.
TAIL = 0.002
#: What a reader cannot see in predicted against measured.
FIT_NOTE = (
    "Darker: more rows (logarithmic); rows beyond an axis count at its edge. ρ: Spearman within folds, averaged.\n"
    "Predictions are on the scale that was fitted: ranks of the measurements as normal scores, unless target=raw."
)


@dataclass(frozen=True)
class Links:
    """Where the pictures of a task are, relative to the leaderboard: of all scores, and by board of predicted against
    measured values."""

    scores: str | None = None
    fits: dict[int, str] = field(default_factory=dict)


def draw_pictures(task: TaskFiles, summary: Summary) -> tuple[Links, dict[str, str]]:
    """Draw what is missing or outdated.

    Returns the links, and by file a hash of what it was drawn from, which ``Summary.pictures`` keeps. Without
    predictions the scores are drawn from the summary, and predicted against measured is linked where the file is there.
    """
    current: dict[str, str] = {}
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    boards = summary.boards
    ranked = [board for board in boards if board.binary is None]  # a cloud of two heights shows nothing
    rows = scores = None
    fits = {}

    def outdated(name: str, *inputs: str) -> bool:
        current[name] = hashlib.sha256("\0".join((code, *inputs)).encode()).hexdigest()[:16]
        return summary.pictures.get(name) != current[name] or not (task.folder / name).is_file()

    if any(row.score is not None for board in ranked for row in board.rows):
        name = "scores.svg"
        if outdated(name, *(board.inputs for board in ranked)):
            save_figure(_scores(ranked), task.folder / name)
        scores = link(task, name)
    for i, board in enumerate(boards):
        name = f"fit-{safe_name(board.target)}-{hashlib.sha256(board.split.encode()).hexdigest()[:6]}.svg"
        stale = outdated(name, board.inputs)
        if task.record is not None and stale and board.rows and board.binary is None:
            rows = load_rows(task.folder, task.record) if rows is None else rows
            figure = _fit(task, task.boards[i], board, rows)
            if figure is not None:
                save_figure(figure, task.folder / name)
        if (task.folder / name).is_file():
            fits[i] = link(task, name)
        else:
            del current[name]
    return Links(scores, fits), current


def link(task: TaskFiles, name: str) -> str:
    """A picture of a task, relative to the leaderboard."""
    return quote(f"{task.folder.name}/{name}")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as SVG: equal ones give equal bytes."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE), warnings.catch_warnings(), atomic(path) as temporary:
        # A name may hold letters that the measuring font lacks; the viewer's font has them.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None})


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _label(value: object, most: int = 60) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _pair(row: RowSummary, most: int = 60) -> str:
    return _label(row.model if row.role == "null" else row.name, most)


def _kind(row: RowSummary) -> str:
    if row.role != "sequence":
        return "baseline"
    return "GC-only" if row.gc_only else "deep" if row.deep else "sequence"


# ---- scores under the ceiling --------------------------------------------------------------------------------------
def _scores(boards: list[BoardSummary]) -> Figure:
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        return _dots(boards) if has_many_targets(boards) else _bars(boards)


def _scored(rows: Iterable[RowSummary | None]) -> list[tuple[RowSummary, Estimate]]:
    """The rows that have a score, with it."""
    return [(row, row.score) for row in rows if row is not None and row.score is not None]


def _bars(boards: list[BoardSummary]) -> Figure:
    """One panel per board: a bar per row with its interval; the noise ceiling is a line."""
    shown = [sorted(_scored(board.rows), key=lambda found: found[1].value) for board in boards]
    heights = [1.05 + 0.26 * max(1, len(rows)) for rows in shown]
    figure = new_figure(8.5, sum(heights) + 0.7)
    panels = np.atleast_1d(figure.subplots(len(boards), 1, height_ratios=heights, sharex=True))
    kinds = set()
    for axes, board, rows in zip(panels, boards, shown, strict=True):
        for y, (row, score) in enumerate(rows):
            kind = _kind(row)
            kinds.add(kind)
            axes.barh(y, score.value, color=KINDS[kind][0], height=0.72)
            _whisker(axes, score, y, "#222222")
        axes.set_yticks(range(len(rows)), [_pair(row) for row, _ in rows])
        axes.set_ylim(-0.6, max(1, len(rows)) - 0.4)
        axes.axvline(0, color="#222222", linewidth=0.8)
        _ceiling_line(axes, board.ceiling)
        axes.set_title(f"{_label(board.target)}\n{_label(board.split, 60)}, {_rows(board)}", loc="left", fontsize=10)
    panels[-1].set_xlabel("Spearman on test rows (mean over folds, 95 % interval by locus)")
    _legend(figure, kinds)
    return figure


def _rows(board: BoardSummary) -> str:
    return f"n = {board.n or 0:,} test rows"


def _whisker(axes: Axes, score: Estimate, y: float, color: str, width: float = 1.3) -> None:
    if score.low is not None and score.high is not None:
        axes.plot([score.low, score.high], [y, y], color=color, linewidth=width, solid_capstyle="butt")


def _ceiling_line(axes: Axes, ceiling: CeilingSummary) -> None:
    figure = ceiling.estimate
    if figure is None:
        reason = _label(ceiling.reason or "the replicates do not correlate")
        axes.set_title(f"no noise ceiling: {reason}", loc="right", fontsize=9, color="#555555")
        return
    if figure.low is not None and figure.high is not None:
        axes.axvspan(figure.low, figure.high, color="#CC79A7", alpha=0.25, linewidth=0)
    axes.axvline(figure.value, color="#CC79A7", linewidth=2)
    axes.set_title(f"noise ceiling {number(figure.value)}", loc="right", fontsize=9, color="#A03070")


def _dots(boards: list[BoardSummary]) -> Figure:
    """One line per board: the best of each kind as a dot with its interval, and the noise ceiling as a tick."""
    figure = new_figure(8.5, 1.3 + 0.42 * len(boards))
    axes = figure.subplots()
    kinds = set()
    for y, board in enumerate(reversed(boards)):
        axes.axhline(y, color="#DDDDDD", linewidth=0.8, zorder=0)
        value = board.ceiling.value
        if value is not None:
            axes.plot([value, value], [y - 0.33, y + 0.33], color="#CC79A7", linewidth=3)
        chosen = (("GC-only", board.best_gc), ("sequence", board.best), ("deep", board.best_deep))
        for shift, (kind, name) in zip((-0.2, 0.0, 0.2), chosen, strict=True):
            for _, score in _scored([board.row(name)]):
                kinds.add(kind)
                color, marker = KINDS[kind]
                _whisker(axes, score, y + shift, color)
                axes.plot(score.value, y + shift, marker=marker, color=color, markersize=5, linestyle="none")
    axes.axvline(0, color="#222222", linewidth=0.8)
    splits = {board.split for board in boards}
    names = [
        f"{_label(board.target, 40)} ({board.n or 0:,})" + (f"\n{_label(board.split, 40)}" if len(splits) > 1 else "")
        for board in reversed(boards)
    ]
    axes.set_yticks(range(len(boards)), names)
    split = f"{_label(splits.pop(), 80)}; " if len(splits) == 1 else ""
    axes.set_title(f"{split}in brackets: test rows", loc="left", fontsize=10)
    axes.set_ylim(-0.6, len(boards) - 0.4)
    axes.set_xlabel("Spearman on test rows (mean over folds, 95 % interval by locus)")
    _legend(figure, kinds, best=True)
    return figure


def _legend(figure: Figure, kinds: set[str], *, best: bool = False) -> None:
    from matplotlib.lines import Line2D

    names = (
        {"GC-only": "best GC-only", "sequence": "best that sees more", "deep": "best deep"}
        if best
        else {"sequence": "more than GC", "baseline": "no base (length, DNA count)"}
    )
    entries = [
        Line2D([], [], color=color, marker=marker if best else "s", linestyle="none", label=names.get(kind, kind))
        for kind, (color, marker) in KINDS.items()
        if kind in kinds
    ]
    entries.append(Line2D([], [], color="#CC79A7", linewidth=3, label="noise ceiling of the replicates"))
    figure.legend(handles=entries, loc="outside lower center", ncols=len(entries), frameon=False, fontsize=9)


# ---- predicted against measured ------------------------------------------------------------------------------------
class _Panels(NamedTuple):
    """One line of panels: a row of the board, its label, and the predictions of training, validation and test rows."""

    row: RowSummary
    label: str
    parts: list[tuple[int, PartPredictions]]


def _fit(task: TaskFiles, files: BoardFiles, board: BoardSummary, rows: pd.DataFrame) -> Figure | None:
    """Density of predicted against measured values: a line of panels per model, for training, validation and test."""
    import matplotlib as mpl

    value = target_values(task, files.target, rows)[1]
    data = _panels(files, board, value)
    if not data:
        return None
    with mpl.rc_context(STYLE):
        figure = new_figure(9.0, 1.0 + 2.75 * len(data))
        panels = figure.subplots(len(data), 3, squeeze=False)
        limits = _span(value[np.isfinite(value)])
        for place, (row, label, parts) in enumerate(data):
            line = panels[place]
            span = _span(np.concatenate([found.prediction for _, found in parts]))
            for axes, (part, found) in zip(line, parts, strict=True):
                measured = value[found.row]
                _density(axes, measured, found.prediction, limits, span)
                _say(axes, measured, found.prediction, found.fold)
                if place == 0:
                    axes.set_title({TRAIN: "training", VALID: "validation", TEST: "test"}[part])
                if place == len(data) - 1:
                    axes.set_xlabel("measured, mean of replicates")
            line[0].set_ylabel(f"{label}\n{_pair(row, 34)}\npredicted", fontsize=9)
        title = _label(f"{task.name}: {board.target}", 90)
        figure.suptitle(f"{title}\n{_label(board.split, 90)}", fontsize=11)
        figure.supxlabel(FIT_NOTE, fontsize=8, color="#555555")
    return figure


def _panels(files: BoardFiles, board: BoardSummary, value: NDArray[np.float64]) -> list[_Panels]:
    """The best model, the GC-only one and the best deep one, each by its first seed; what cannot be read is left
    out."""
    chosen: dict[str, str] = {}
    for name, label in ((board.best, "best"), (board.best_gc, "GC-only"), (board.best_deep, "best deep")):
        if name is not None:
            chosen[name] = f"{chosen[name]}, {label}" if name in chosen else label
    data = []
    for name, label in chosen.items():
        row = board.row(name)
        if row is None:
            continue
        runs = {run.record.seed: run for run in files.results[row.featurizer, row.model]}
        run = runs.get(row.seeds[0])
        if run is None:
            continue
        label += f", seed {row.seeds[0]}" if len(row.seeds) > 1 else ""
        try:
            data.append(_Panels(row, label, [(part, load_part(run, part, value)) for part in (TRAIN, VALID, TEST)]))
        except BenchError:
            continue
    return data


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [TAIL, 1 - TAIL])
    return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)


def _density(
    axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], xlim: tuple[float, float], ylim: tuple[float, float]
) -> None:
    bins = int(np.clip(0.8 * np.sqrt(len(x)), *BINS))
    counts = np.histogram2d(np.clip(x, *xlim), np.clip(y, *ylim), bins=bins, range=[xlim, ylim])[0].T
    # Logarithmic, so that thin tails show beside a dense middle; empty bins stay white, single rows clearly do not.
    shade = np.where(counts > 0, np.log1p(counts), np.nan)
    top = np.log1p(counts.max())
    axes.imshow(
        shade,
        origin="lower",
        extent=(*xlim, *ylim),
        aspect="auto",
        cmap="Blues",
        vmin=-0.2 * top,
        vmax=top,
        interpolation="none",
    )


def _say(axes: Axes, y: NDArray[np.float64], prediction: NDArray[np.float64], fold: NDArray[np.int64]) -> None:
    from bench.stats.ranks import spearman_by_fold

    scores = spearman_by_fold(y, prediction, fold)
    score = float(np.nanmean(scores)) if np.isfinite(scores).any() else None
    box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 2}
    said = f"ρ = {number(score)}, n = {len(y):,}" + (f" in {len(scores)} folds" if len(scores) > 1 else "")
    axes.text(0.03, 0.97, said, fontsize=8.5, transform=axes.transAxes, va="top", bbox=box)
