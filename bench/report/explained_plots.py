"""One picture of what a model learned: the ladder, one site against GC, doses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.board.figure import Estimate
from bench.board.load import TaskFiles
from bench.explain.record import Explanation, Ladder, PlantedMotifs
from bench.files.atomic import json_text
from bench.report import logos
from bench.report.logos import filters_figure
from bench.report.plots import STYLE, link, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Families in the panel of effects, and of doses.
SHOWN, DOSED = 12, 5
BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#888888"
DOSE_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9")


def draw_explained(
    task: TaskFiles, answers: Sequence[Explanation], drawn: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Draw what is missing or outdated of the pictures of some explanations. ``drawn`` : by file a hash of what it was
    drawn from, as the summary has it. Returns links by the result's key (of its filters: with
    ``-filters``), and the hashes."""
    code = "".join(hashlib.sha256(Path(each).read_bytes()).hexdigest() for each in (__file__, logos.__file__))
    links, current = {}, {}
    for answer in answers:
        content = json_text(answer.model_dump(exclude={"seconds"}))
        for key, figure in _figures(answer).items():
            name = f"explain-{key}.svg"
            current[name] = hashlib.sha256(f"{code}\0{content}".encode()).hexdigest()[:16]
            if drawn.get(name) != current[name] or not (task.folder / name).is_file():
                save_figure(figure(), task.folder / name)
            links[key] = link(task, name)
    return links, current


def _figures(answer: Explanation) -> dict[str, Callable[[], Figure]]:
    """What draws each picture of an explanation, by the key that its link goes by."""
    out: dict[str, Callable[[], Figure]] = {answer.key: partial(_figure, answer)}
    if answer.filters is not None and answer.filters.strongest:
        title = f"{answer.target}: {answer.featurizer} + {answer.model}, filters of the most influence"
        out[f"{answer.key}-filters"] = partial(filters_figure, answer.filters, title)
    return out


def _figure(answer: Explanation) -> Figure:
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        figure = new_figure(11.0, 4.2)
        panels = figure.subplots(1, 3)
        figure.suptitle(f"{answer.target}: {answer.featurizer} + {answer.model}", fontsize=10)
        if answer.ladder is not None:
            _ladder(panels[0], answer.ladder)
        if answer.planted is not None:
            _effects(panels[1], answer.planted)
            _doses(panels[2], answer.planted)
        for axes in panels:
            if not axes.has_data():
                axes.set_axis_off()
    return figure


def _bars(axes: Axes, figures: Sequence[Estimate], names: Sequence[str], color: str) -> None:
    y = np.arange(len(figures))[::-1]
    axes.barh(y, [each.value for each in figures], color=color, height=0.7)
    for at, each in zip(y, figures, strict=True):
        if each.low is not None and each.high is not None:
            axes.plot([each.low, each.high], [at, at], color="#222222", linewidth=1.2)
    axes.set_yticks(y, names, fontsize=8)
    axes.axvline(0, color="#222222", linewidth=0.8)


def _ladder(axes: Axes, ladder: Ladder) -> None:
    names = [rung.name if not i else f"+ {rung.name}" for i, rung in enumerate(ladder.rungs)]
    _bars(axes, [rung.r2 for rung in ladder.rungs], names, BLUE)
    axes.set_xlim(min(0.0, *(rung.r2.value for rung in ladder.rungs)), 1)
    axes.set_title("what explains its predictions", loc="left", fontsize=9)
    axes.set_xlabel("R² of predictions, unseen loci")


def _effects(axes: Axes, planted: PlantedMotifs) -> None:
    families = planted.families[:SHOWN]
    figures = [each.effect for each in families]
    names = [each.motif.partition(" ")[2] or each.motif for each in families]
    slope = planted.exchange.per_point
    ends = (slope.low, slope.high)
    ten = Estimate(
        value=10 * slope.value,
        low=None if ends[0] is None else 10 * ends[0],
        high=None if ends[1] is None else 10 * ends[1],
    )
    _bars(axes, [*figures, ten], [*names, "GC, 10 points"], BLUE)
    axes.patches[-1].set_color(ORANGE)
    axes.set_title("one site over its shuffle, GC unchanged", loc="left", fontsize=9)
    axes.set_xlabel("standard deviations of predictions")


def _doses(axes: Axes, planted: PlantedMotifs) -> None:
    for family, color in zip(planted.families[:DOSED], DOSE_COLORS, strict=False):
        x = np.arange(1, len(family.dose) + 1)
        axes.plot(x, [each.value for each in family.dose], marker="o", markersize=3, color=color,
                  label=family.motif.partition(" ")[2] or family.motif)  # fmt: skip
    axes.axhline(0, color="#222222", linewidth=0.8)
    axes.set_xticks(range(1, 5))
    axes.set_title("dose", loc="left", fontsize=9)
    axes.set_xlabel("sites")
    if planted.families:
        axes.legend(fontsize=7, frameon=False)
