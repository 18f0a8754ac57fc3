"""How good a model must be before its explanation is right: a table, a picture and what follows in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.explain.record import Study, StudyPoint
from bench.files.atomic import atomic, disk_errors
from bench.report.plots import new_figure, save_figure
from bench.report.text import code, count, escape, number, percent, table
from bench.store.record import read_record
from bench.store.result import safe_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What is found of what was written: name, how it is read from a point, colour and marker of its line.
FOUND: tuple[tuple[str, Callable[[StudyPoint], float | None], str, str], ...] = (
    ("bases, AUROC", lambda p: p.bases_auroc, "#0072B2", "o"),
    ("bases, precision", lambda p: p.bases_precision, "#56B4E9", "s"),
    ("motifs, recall", lambda p: p.motifs_recall, "#E69F00", "D"),
    ("motifs, precision", lambda p: p.motifs_precision, "#009E73", "^"),
)
#: Bases are believed from this AUROC on, motifs where at least this share of those written is found.
SURE_BASES, SURE_MOTIFS = 0.95, 0.75


def write_study(task: str, target: str, folder: Path) -> Path:
    """A page of all studies of a target that a folder keeps, and a picture for each. Returns the path of the page."""
    studies = sorted(
        _kept(task, target, folder), key=lambda study: (study.pair, study.quick, study.split, study.motifs)
    )
    lines = [f"# How far to believe an explanation: {escape(task)}, {escape(target)}", ""]
    page = folder / safe_name(f"study {task} {target}")
    page = page.with_name(f"{page.name}.md")
    with disk_errors(folder):
        for study in studies:
            picture = f"{study.file.removesuffix('.json')}.svg"
            save_figure(_picture(study), folder / picture)
            lines += _section(study, picture)
        with atomic(page) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return page


def _kept(task: str, target: str, folder: Path) -> Iterator[Study]:
    for path in sorted(folder.glob("*.json")):
        study = read_record(Study, path).record
        if study is not None and (study.task, study.target) == (task, target):
            yield study


def study_in_words(study: Study) -> list[str]:
    """What follows from a study; a sentence only where its condition holds."""
    said = [
        _from_which_on(study, f"planting named at least {percent(SURE_MOTIFS)} of the motifs", SURE_MOTIFS,
                       lambda p: p.motifs_recall),
        _from_which_on(study, f"bases of sites were told from others with an AUROC of {SURE_BASES} or more", SURE_BASES,
                       lambda p: p.bases_auroc),
    ]  # fmt: skip
    return [*said, _own(study)]


def _from_which_on(study: Study, what: str, least: float, of: Callable[[StudyPoint], float | None]) -> str:
    """From which score on something held in every world."""
    values = [(point.share, of(point)) for point in study.points]
    failed = max((share for share, value in values if value is None or value < least), default=-np.inf)
    passed = [share for share, _ in values if share > failed]
    if not passed or min(passed) <= 0:
        return f"Not in the model that came nearest to what is attainable: {what}."
    those = "the one model" if len(passed) == 1 else f"all {len(passed)} models"
    return f"In {those} that scored {percent(min(passed))} of what is attainable or more, {what}."


def _own(study: Study) -> str:
    """Where the task's own row stands among the models of the worlds."""
    if study.of_ceiling is None:
        return f"{study.pair} has no score under a noise ceiling on {study.task}: where it stands among these is n/a."
    means = sorted(_means(study), key=lambda each: each.share)
    stands = f"On {study.task} itself {study.pair} scores {percent(study.of_ceiling)} of the noise ceiling"
    if study.of_ceiling < means[0].share:
        return f"{stands}: below all of these worlds, so believe no explanation of it."
    if study.of_ceiling > means[-1].share:
        return f"{stands}: above all of these worlds."
    at = [each.share for each in means]
    named = float(np.interp(study.of_ceiling, at, [each.recall for each in means]))
    bases = [(each.share, each.auroc) for each in means if each.auroc is not None]
    more = ""
    if bases:
        auroc = float(np.interp(study.of_ceiling, [share for share, _ in bases], [value for _, value in bases]))
        more = f", and bases had an AUROC of {auroc:.2f}"
    return (
        f"{stands}: models of these worlds as good as that named {percent(named)} of the motifs{more} (interpolated)."
    )


class _Mean:
    """Means over the worlds of one signal."""

    def __init__(self, signal: float, points: list[StudyPoint]) -> None:
        self.signal = signal
        self.share = float(np.mean([point.share for point in points]))
        self.score = _mean([point.score for point in points])
        self.found = [_mean([of(point) for point in points]) for _, of, _, _ in FOUND]

    @property
    def auroc(self) -> float | None:
        return self.found[0]

    @property
    def recall(self) -> float:
        return self.found[2] or 0.0


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def _means(study: Study) -> list[_Mean]:
    signals = dict.fromkeys(point.signal for point in study.points)
    return [_Mean(signal, [p for p in study.points if p.signal == signal]) for signal in signals]


def _section(study: Study, picture: str) -> list[str]:
    worlds = len({point.world for point in study.points})
    rows = [
        [percent(each.signal), number(each.score), percent(each.share), *(number(value, 2) for value in each.found)]
        for each in _means(study)
    ]
    quick = " (quick)" if study.quick else ""
    header = ["signal", "score", "of what is attainable", *(name for name, *_ in FOUND)]
    said = "One world" if worlds == 1 else f"Means over {worlds} worlds"
    return [
        f"## {code(study.pair)}{quick}",
        "",
        f"{said} for each signal: {count(study.rows)} rows of the task (first fold of {escape(study.split)}),"
        f" dinucleotide-shuffled, with sites of four motifs ({escape(study.motifs)}) written in; *signal* is the share"
        " of the variance of what is measured that sites have, the rest is chance. Spearman on"
        f" {count(study.test_rows)} test rows, and its share of what the truth itself can be expected to score. Bases:"
        " those of sites (positions above 1 bit) in the 20 rows predicted highest, by changing every base. Motifs:"
        " recall of the four among the families that planting finds for sure, and precision.",
        "",
        *table(header, rows),
        "",
        f"![what is found by the score of the model]({picture})",
        "",
        *(f"* {escape(line)}" for line in study_in_words(study)),
        "",
    ]


def _picture(study: Study) -> Figure:
    figure = new_figure(7.0, 3.8)
    axes = figure.subplots()
    means = sorted(_means(study), key=lambda each: each.share)
    for i, (name, of, color, marker) in enumerate(FOUND):
        points = [(point.share, value) for point in study.points if (value := of(point)) is not None]
        axes.scatter([x for x, _ in points], [y for _, y in points], color=color, s=8, alpha=0.5)
        line = [(each.share, value) for each in means if (value := each.found[i]) is not None]
        axes.plot([x for x, _ in line], [y for _, y in line], color=color, marker=marker, markersize=4, label=name)
    if study.of_ceiling is not None:
        axes.axvline(study.of_ceiling, color="#888888", linewidth=1.5, label="the row on the task itself")
    axes.set_xlabel("score of the model, share of what is attainable")
    axes.set_ylabel("what is found")
    axes.set_ylim(0, 1.03)
    axes.set_title(study.pair, loc="left")
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    return figure
