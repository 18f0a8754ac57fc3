"""All questions to one result, and where the answers are kept."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.explain.exports import exports, write_meme
from bench.explain.filters import ask_filters
from bench.explain.inside import ask_gradients, ask_trees, write_gradients
from bench.explain.ladder import ladder
from bench.explain.modisco import ask_modisco
from bench.explain.mutated import Maps, ask_mutated, write_bedgraph, write_npz
from bench.explain.planted import plant
from bench.explain.record import Explanation
from bench.explain.rules import ask_rules
from bench.explain.subject import QUICK, Effort, NotAsked, Subject
from bench.fit.features import compute_features
from bench.fit.predictor import Predictor
from bench.motifs.database import GROUPS, group_of, jaspar_motifs
from bench.motifs.motif import Motif
from bench.motifs.reading import read_motifs
from bench.plugins.registry import Registry
from bench.sequences import Sequences
from bench.store.predictions import Predictions
from bench.store.record import ResultRecord
from bench.tasks.load import PlannedTask
from bench.tasks.task import TEST, Task

#: An answer, and the files that go with it.
Answer = tuple[Any, dict[str, Callable[[Path], None]]]


@dataclass(eq=False)
class Session:
    """A result that is asked, and what later questions need of earlier ones."""

    subject: Subject
    effort: Effort
    maps: Maps | None = None


def featurizing(task: Task, registry: Registry) -> Callable[[str, Sequences], NDArray[Any]]:
    """Features of any sequences by a built-in featurizer's name, as a table (n, columns)."""

    def features(name: str, sequences: Sequences) -> NDArray[Any]:
        few = dataclasses.replace(task, sequences=sequences, row_id=np.arange(len(sequences)).astype(np.str_))
        return compute_features(few, registry.make("featurizer", name)).table()

    return features


@dataclass(frozen=True)
class Explained:
    """Answers, and the functions that write the files that go with them, by name."""

    answer: Explanation
    files: dict[str, Callable[[Path], None]]


def explain(
    subject: Subject,
    record: ResultRecord,
    *,
    effort: Effort,
    say: Callable[[str], None],
    no_model: str = "the predictions were made elsewhere: there is no model to ask",
    modisco: bool = False,
) -> Explained:
    """Ask a result everything that can be asked of it. ``say`` takes a line before each question, ``no_model`` says why
    there is no predictor, where there is none. ``modisco`` : ask TF-MoDISco too.

    Returns
    -------
    The answers, of the result's key; a question that cannot be asked is named with the reason.
    """
    files: dict[str, Callable[[Path], None]] = {}
    seconds: dict[str, float] = {}
    left_out: dict[str, str] = {}
    found: dict[str, Any] = {}
    session = Session(subject, effort)
    for name, (ask, needs_model) in QUESTIONS.items():
        if name == "modisco" and not modisco:
            continue
        if needs_model and subject.predictor is None:
            left_out[name] = no_model
            continue
        say(f"{subject.name}: {name}")
        began = time.perf_counter()
        try:
            found[name], more = ask(session)
        except NotAsked as why:
            left_out[name] = str(why)
            continue
        files |= more
        seconds[name] = round(time.perf_counter() - began, 2)
    files |= exports(subject, session.maps, found.get("planted"))
    answer = Explanation(
        **{key: getattr(record, key) for key in ("key", "task", "target", "split", "featurizer", "model", "seed")},
        quick=effort == QUICK,
        motifs=subject.source,
        spread=0.0 if subject.constant else subject.spread,
        seconds=seconds,
        left_out=left_out,
        **found,
    )
    return Explained(answer, files)


def _ladder(asked: Session) -> Answer:
    return ladder(asked.subject, asked.effort), {}


def _planted(asked: Session) -> Answer:
    return plant(asked.subject, asked.effort), {}


def _mutated(asked: Session) -> Answer:
    found, asked.maps = ask_mutated(asked.subject, asked.effort)
    return found, {
        "attributions.npz": partial(write_npz, subject=asked.subject, maps=asked.maps),
        "attributions.bedgraph": partial(write_bedgraph, subject=asked.subject, maps=asked.maps),
    }


def _rules(asked: Session) -> Answer:
    return ask_rules(asked.subject, asked.effort), {}


def _trees(asked: Session) -> Answer:
    return ask_trees(asked.subject, asked.effort), {}


def _gradients(asked: Session) -> Answer:
    made = ask_gradients(asked.subject, asked.effort, asked.maps)
    if made is None:
        return None, {}
    return made[0], {"gradients.npz": partial(write_gradients, subject=asked.subject, found=made[1])}


def _filters(asked: Session) -> Answer:
    made = ask_filters(asked.subject, asked.effort)
    if made is None:
        return None, {}
    return made[0], {"motifs-filters.meme": partial(write_meme, motifs=made[1])} if made[1] else {}


def _modisco(asked: Session) -> Answer:
    answer, motifs = ask_modisco(asked.subject, asked.maps)
    return answer, {"motifs-modisco.meme": partial(write_meme, motifs=motifs)} if motifs else {}


def subject_of(
    planned: PlannedTask,
    record: ResultRecord,
    predictions: Predictions,
    registry: Registry,
    motifs: MotifSource,
    predictor: Predictor | None,
) -> Subject:
    """A stored result as it is explained.

    Raises
    ------
    BenchError : for a result without test rows that were measured.
    """
    task = planned.task
    test = (predictions.part == TEST) & np.isfinite(task.targets[record.target].value[predictions.row])
    if not test.any():
        raise BenchError(f"{record.result}: has no measured test row to explain.", status=1)
    return Subject(
        task=task,
        target=record.target,
        name=f"{record.featurizer} + {record.model}",
        row=predictions.row[test].astype(np.int64),
        fold=predictions.fold[test].astype(np.int64),
        prediction=predictions.prediction[test].astype(np.float64),
        features=featurizing(task, registry),
        motifs=motifs.motifs,
        motif_features=motifs.featurizer,
        source=motifs.said,
        predictor=predictor,
        seed=record.seed,
    )


@dataclass(frozen=True, eq=False)
class MotifSource:
    """The motifs to look for, the featurizer that scores them, and what they are in words."""

    motifs: tuple[Motif, ...]
    featurizer: str
    said: str

    @classmethod
    def of(cls, taxon: str, organism: str, file: Path | None) -> MotifSource:
        """JASPAR's of a taxon (``auto``: of the task's organism), or those of a file.

        Raises
        ------
        BenchError : where ``auto`` finds no taxon, for an unknown one, and for a file that cannot be read.
        """
        if file is not None:
            return cls(tuple(read_motifs(file)), f"motifs[file={file.resolve()}]", f"motifs of {file.name}")
        if taxon == "auto":
            try:
                taxon = group_of(organism)
            except BenchError:
                raise BenchError(
                    f"--taxon: the organism of the task's card ({organism or 'none'!r}) names no group of JASPAR:"
                    f" give --taxon {', '.join(GROUPS)}, or motifs of your own with --motifs FILE."
                ) from None
        if taxon not in GROUPS:
            raise BenchError(f"--taxon: unknown taxon {taxon!r}.{nearest(taxon, GROUPS)}")
        motifs = jaspar_motifs(taxon)
        return cls(motifs, f"motifs[taxon={taxon}]", f"JASPAR 2026 CORE, {taxon} ({len(motifs):,} motifs)")


#: Every question: who answers it, and whether it needs the model itself.
QUESTIONS: dict[str, tuple[Callable[[Session], Answer], bool]] = {
    "ladder": (_ladder, False),
    "rules": (_rules, False),
    "planted": (_planted, True),
    "mutated": (_mutated, True),
    "trees": (_trees, True),
    "gradients": (_gradients, True),
    "filters": (_filters, True),
    "modisco": (_modisco, True),
}
