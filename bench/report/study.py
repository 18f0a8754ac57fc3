"""How good a model must be before its explanation is right: a table, a picture and what follows in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.explain.record import Study
from bench.explain.studied import means, study_in_words
from bench.files.atomic import atomic, disk_errors
from bench.report.plots import new_figure, save_figure
from bench.report.text import code, count, escape, number, percent, table
from bench.store.result import safe_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What is found of what was written: its name, the field of a point, colour and marker of its line.
FOUND = (
    ("bases, AUROC", "bases_auroc", "#0072B2", "o"),
    ("bases, precision", "bases_precision", "#56B4E9", "s"),
    ("motifs, recall", "motifs_recall", "#E69F00", "D"),
    ("motifs, precision", "motifs_precision", "#009E73", "^"),
)


def write_study(studies: Sequence[Study], folder: Path) -> Path:
    """A page of some studies of one target, and a picture for each, in a folder. Returns the path of the page."""
    task, target = studies[0].task, studies[0].target
    lines = [f"# How far to believe an explanation: {escape(task)}, {escape(target)}", ""]
    page = folder / f"{safe_name(f'study {task} {target}')}.md"
    with disk_errors(folder):
        for study in studies:
            picture = f"{study.file.removesuffix('.json')}.svg"
            save_figure(_picture(study), folder / picture)
            lines += _section(study, picture)
        with atomic(page) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return page


def _section(study: Study, picture: str) -> list[str]:
    worlds = len({point.world for point in study.points})
    rows = [
        [
            percent(each.signal),
            number(each.score),
            percent(each.share),
            *(number(getattr(each, field), 2) for _, field, _, _ in FOUND),
        ]
        for each in means(study)
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
    found = sorted(means(study), key=lambda each: each.share)
    for name, field, color, marker in FOUND:
        points = [(point.share, value) for point in study.points if (value := getattr(point, field)) is not None]
        axes.scatter([x for x, _ in points], [y for _, y in points], color=color, s=8, alpha=0.5)
        line = [(each.share, value) for each in found if (value := getattr(each, field)) is not None]
        axes.plot([x for x, _ in line], [y for _, y in line], color=color, marker=marker, markersize=4, label=name)
    if study.of_ceiling is not None:
        axes.axvline(study.of_ceiling, color="#888888", linewidth=1.5, label="the row on the task itself")
    axes.set_xlabel("score of the model, share of what is attainable")
    axes.set_ylabel("what is found")
    axes.set_ylim(0, 1.03)
    axes.set_title(study.pair, loc="left")
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    return figure
