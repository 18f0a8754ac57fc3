"""How good must a model be before its explanation is right? Worlds made of a task's own rows, in which what there is to
find is known.

A world: rows of the task, dinucleotide-shuffled, so that GC and composition stay and nothing else; sites of four motifs
of the database written into them; what is measured follows the number of sites and chance. The learner of a result is
fitted in worlds of more and more signal, explained, and what is found is compared with what was written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.explain.designed import Codes, other_strand
from bench.explain.matching import information
from bench.explain.mutated import mutate
from bench.explain.planted import plant
from bench.explain.record import StudyPoint
from bench.explain.subject import QUICK, Subject
from bench.files.atomic import atomic, disk_errors
from bench.kernels.shuffle import dinucleotide_shuffle
from bench.motifs.motif import Motif
from bench.motifs.similar import alike, centred
from bench.stats.ranks import spearman
from bench.tasks.load import PlannedTask
from bench.tasks.task import TEST, TRAIN, VALID

#: Motifs of a world, and the mean number of sites of each in a row.
MOTIFS, RATE = 4, 0.5
#: A motif takes part that is written at least so sharply, and that is no longer than this share of a row.
LEAST_BITS, LONGEST = 10.0, 0.2
#: Bits of a position of a site that counts as a base to find.
SHARP = 1.0
#: Fewest test rows of a world, and draws of chance behind what is attainable there.
TEST_ROWS, DRAWS = 50, 200
#: Rows whose every base is changed.
MUTATED = 20
#: Names of the three parts, as chromosomes of a world's table.
PARTS = {"train": TRAIN, "valid": VALID, "test": TEST}


@dataclass(frozen=True)
class StudyEffort:
    """``signals`` : shares of the variance of what is measured that sites have. ``worlds`` : of each. ``rows`` : of a
    world at most."""

    signals: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
    worlds: int = 2
    rows: int = 6000


STUDY = StudyEffort()
QUICK_STUDY = StudyEffort((0.1, 0.3, 0.8), 1, 2000)


@dataclass(frozen=True, eq=False)
class World:
    """Rows with sites.

    Attributes
    ----------
    codes : bases of every row. sharp : bool (length,) of each: bases of sites at positions above 1 bit.
    part : int (n,), the part of every row. motifs : those that were written.
    truth, noise : float64 (n,), what the sites do and what chance does, both of variance 1.
    """

    codes: list[Codes]
    sharp: list[NDArray[np.bool_]]
    part: NDArray[np.int64]
    motifs: tuple[Motif, ...]
    truth: NDArray[np.float64]
    noise: NDArray[np.float64]

    def measured(self, signal: float) -> NDArray[np.float64]:
        """What is measured where sites have a share ``signal`` of its variance, float64 (n,)."""
        return np.sqrt(signal) * self.truth + np.sqrt(1 - signal) * self.noise

    def attainable(self, signal: float) -> float:
        """Expected Spearman of what the sites do with what is measured, on test rows: what a perfect model scores,
        whatever chance drew for this world. Above 0."""
        truth, rng = self.truth[self.part == TEST], np.random.default_rng(0)
        drawn = np.sqrt(signal) * truth + np.sqrt(1 - signal) * rng.normal(size=(DRAWS, len(truth)))
        return float(np.mean([spearman(truth, each) for each in drawn]))


def make_world(planned: PlannedTask, motifs: Sequence[Motif], rows: int, seed: int) -> World:
    """A world of the rows of the task's first fold.

    Raises
    ------
    BenchError : for too few test rows, and where the database has no four motifs that fit into the rows and differ from
        one another.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, 20]))
    part = planned.folds.part[0].astype(np.int64)
    used = np.flatnonzero(np.isin(part, list(PARTS.values())) & (planned.task.sequences.lengths > 0))
    if len(used) > rows:
        used = np.sort(rng.choice(used, rows, replace=False))
    if (part[used] == TEST).sum() < TEST_ROWS:
        raise BenchError(
            f"{planned.name}: --study needs {TEST_ROWS} test rows in the first fold. It has"
            f" {int((part[used] == TEST).sum())}: a score over so few says nothing."
        )
    shuffled = dinucleotide_shuffle(planned.task.sequences.take(used), seed=seed)
    codes = [shuffled.codes(i).copy() for i in range(len(shuffled))]
    longest = int(LONGEST * np.median([len(each) for each in codes]))
    chosen = _far_apart(motifs, longest, rng)
    if len(chosen) < MOTIFS:
        raise BenchError(
            f"{planned.name}: --study writes {MOTIFS} motifs into the rows, of {LEAST_BITS:g} bits or more, no longer"
            f" than a fifth of a row ({longest} bases) and each of another family and unlike the others. Of"
            f" {len(motifs):,} motifs it found {len(chosen)} such: give others with --taxon or --motifs."
        )
    sharp = [np.zeros(len(each), np.bool_) for each in codes]
    hits = np.zeros((len(codes), MOTIFS))
    for i, row in enumerate(codes):
        taken = np.zeros(len(row), np.bool_)
        for j, motif in enumerate(chosen):
            for _ in range(rng.poisson(RATE)):
                hits[i, j] += _write(row, sharp[i], taken, motif, rng)
    truth = _standardised(hits @ rng.uniform(0.6, 1.2, MOTIFS))
    return World(codes, sharp, part[used], chosen, truth, rng.normal(size=len(codes)))


def _far_apart(motifs: Sequence[Motif], longest: int, rng: np.random.Generator) -> tuple[Motif, ...]:
    """Sharp motifs drawn at random, none alike another nor of its family."""
    chosen: list[Motif] = []
    for place in rng.permutation(len(motifs)):
        motif = motifs[place]
        fits = len(motif) <= longest and information(_shares(motif)).sum() >= LEAST_BITS
        if fits and not any(_one_family(motif, other) for other in chosen):
            chosen.append(motif)
        if len(chosen) == MOTIFS:
            break
    return tuple(chosen)


def _one_family(a: Motif, b: Motif) -> bool:
    return bool(_parts(a.family) & _parts(b.family)) or alike(centred(a), centred(b))


def _parts(family: str) -> set[str]:
    """Families of a name such as ``Jun-related::Fos-related``."""
    return set(family.split("::")) - {""}


def _shares(motif: Motif) -> NDArray[np.float64]:
    return centred(motif) + 0.25


def _write(
    row: Codes, sharp: NDArray[np.bool_], taken: NDArray[np.bool_], motif: Motif, rng: np.random.Generator
) -> bool:
    """Write a site into a row, on either strand, unless its place is taken or reaches beyond the row."""
    p = _shares(motif) ** 2  # sites that are better than the average of those counted
    p /= p.sum(axis=1, keepdims=True)
    word = (p.cumsum(axis=1) < rng.random((len(p), 1))).sum(axis=1).clip(max=3).astype(np.uint8)
    clear = information(_shares(motif)) > SHARP
    if rng.random() < 0.5:
        word, clear = other_strand(word), clear[::-1]
    if len(row) < len(word):
        return False
    at = int(rng.integers(0, len(row) - len(word) + 1))
    place = slice(at, at + len(word))
    if taken[place].any() or (row[place] > 3).any():
        return False
    row[place], sharp[place], taken[place] = word, clear, True
    return True


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = values.std()
    return (values - values.mean()) / (spread if spread > 0 else 1.0)


def write_world(folder: Path, name: str, world: World, signal: float, organism: str) -> Path:
    """A world as a table and a task file, which any process can read. Returns the path of the task file."""
    names = {code: label for label, code in PARTS.items()}
    letters = np.array(list("ACGTN"))
    lines = ["id\tchrom\tsequence\ty"]
    for i, value in enumerate(world.measured(signal)):
        lines.append(f"{i}\t{names[int(world.part[i])]}\t{''.join(letters[world.codes[i]])}\t{value:.6f}")
    about = [
        f"name = {json.dumps(name)}",
        f'title = "Sites of four motifs with {signal:.0%} of the variance"',
        'assay = "simulated"',
        f"organism = {json.dumps(organism)}",
        'genome = "none"',
        'citation = "made by bench explain --study"',
        'licence = "none"',
        f"table = {json.dumps(name + '.tsv')}",
        'split = "holdout[valid=valid,test=test]"',
        "[targets.y]",
        'replicates = ["y"]',
    ]
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in ((folder / f"{name}.tsv", lines), (folder / f"{name}.toml", about)):
            with atomic(path) as temporary:
                temporary.write_text("\n".join(text) + "\n", encoding="utf-8")
    return folder / f"{name}.toml"


def study_point(subject: Subject, world: World, signal: float, seed: int) -> StudyPoint:
    """What explaining a model that was fitted in a world finds of what was written.

    Parameters
    ----------
    subject : the model on the world's task, whose row ids are the rows' places.
    """
    from sklearn.metrics import roc_auc_score

    measured = subject.task.targets[subject.target].value[subject.row]
    score, attainable = float(spearman(subject.prediction, measured)), world.attainable(signal)
    point = StudyPoint(signal=signal, world=seed, score=score, attainable=attainable)
    if subject.constant:
        return point
    maps = mutate(subject, np.argsort(-subject.prediction, kind="stable")[:MUTATED])
    strength = np.abs(np.concatenate(maps.contributions()))
    rows = [int(subject.task.row_id[subject.row[place]]) for place in maps.place]
    is_site = np.concatenate([world.sharp[row] for row in rows])
    found = plant(subject, QUICK).families
    right = [_written({each.motif, *each.others}, each.family, world.motifs) for each in found]
    auroc = precision = None
    if is_site.any() and not is_site.all():
        auroc = float(roc_auc_score(is_site, strength))
        precision = float(is_site[np.argsort(-strength, kind="stable")[: is_site.sum()]].mean())
    return point.model_copy(
        update={
            "bases_auroc": auroc,
            "bases_precision": precision,
            "motifs_recall": len(set().union(*right)) / MOTIFS,
            "motifs_precision": sum(map(bool, right)) / len(right) if right else None,
        }
    )


def _written(titles: set[str], family: str, motifs: Sequence[Motif]) -> set[int]:
    """Which of the written motifs a family that planting found stands for."""
    return {i for i, motif in enumerate(motifs) if motif.title in titles or _parts(family) & _parts(motif.family)}
