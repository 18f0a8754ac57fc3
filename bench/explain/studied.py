"""What follows from a study: means over its worlds, and sentences that stand only where they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from bench.explain.record import Study, StudyPoint

#: Bases are believed from this AUROC on, motifs where at least this share of those written is found.
SURE_BASES, SURE_MOTIFS = 0.95, 0.75


def study_in_words(study: Study) -> list[str]:
    """What follows from a study; a sentence only where its condition holds."""
    said = [
        _from_which_on(study, f"planting named at least {_percent(SURE_MOTIFS)} of the motifs", SURE_MOTIFS,
                       lambda p: p.motifs_recall),
        _from_which_on(study, f"bases of sites were told from others with an AUROC of {SURE_BASES} or more", SURE_BASES,
                       lambda p: p.bases_auroc),
    ]  # fmt: skip
    return [*said, _own(study)]


def _from_which_on(study: Study, what: str, least: float, of: Callable[[StudyPoint], float | None]) -> str:
    """From which score on something held in every world."""
    values = [(point.share, of(point)) for point in study.points]
    # Below 0 a model is worse than none: no sentence begins there.
    failed = max([share for share, value in values if value is None or value < least] + [0.0])
    passed = [share for share, _ in values if share > failed]
    if not passed:
        return f"At no score that these models reached is it so that {what}."
    those = "the one model" if len(passed) == 1 else f"all {len(passed)} models"
    return f"In {those} that scored {_percent(min(passed))} of what is attainable or more, {what}."


def _own(study: Study) -> str:
    """Where the task's own row stands among the models of the worlds."""
    if study.of_ceiling is None:
        return f"{study.pair} has no score under a noise ceiling on {study.task}: where it stands among these is n/a."
    found = sorted(means(study), key=lambda each: each.share)
    stands = f"On {study.task} itself {study.pair} scores {_percent(study.of_ceiling)} of the noise ceiling"
    if study.of_ceiling < found[0].share:
        return f"{stands}: below all of these worlds, so that they say nothing of it."
    if study.of_ceiling > found[-1].share:
        return f"{stands}: above all of these worlds."
    at = [each.share for each in found]
    named = float(np.interp(study.of_ceiling, at, [each.motifs_recall for each in found]))
    bases = [(each.share, each.bases_auroc) for each in found if each.bases_auroc is not None]
    more = ""
    if bases:
        auroc = float(np.interp(study.of_ceiling, [share for share, _ in bases], [value for _, value in bases]))
        more = f", and bases had an AUROC of {auroc:.2f}"
    return (
        f"{stands}: models of these worlds as good as that named {_percent(named)} of the motifs{more} (interpolated)."
    )


@dataclass(frozen=True)
class Means:
    """Means over the worlds of one signal, as in ``StudyPoint``; None where no world has a figure."""

    signal: float
    share: float
    score: float | None
    bases_auroc: float | None
    bases_precision: float | None
    motifs_recall: float
    motifs_precision: float | None


def _mean(values: Iterable[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def means(study: Study) -> list[Means]:
    """Of every signal, in their order."""
    found = []
    for signal in dict.fromkeys(point.signal for point in study.points):
        points = [point for point in study.points if point.signal == signal]
        found.append(
            Means(
                signal=signal,
                share=float(np.mean([point.share for point in points])),
                score=_mean(point.score for point in points),
                bases_auroc=_mean(point.bases_auroc for point in points),
                bases_precision=_mean(point.bases_precision for point in points),
                motifs_recall=float(np.mean([point.motifs_recall for point in points])),
                motifs_precision=_mean(point.motifs_precision for point in points),
            )
        )
    return found


def _percent(share: float) -> str:
    return f"{round(100 * share)} %"
