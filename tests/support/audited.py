"""A task to audit, with whatever is to be wrong with it."""

from __future__ import annotations

import dataclasses

import numpy as np

from bench.audit.finding import Subject
from bench.sequences import Sequences
from bench.tasks.splits import Split
from bench.tasks.task import TEST, TRAIN, VALID, Card, Folds, Target, Task

RNG = np.random.default_rng(5)
START = RNG.bit_generator.state


def subject(
    strings=None,
    y=None,
    *,
    n=1200,
    tiles=4,
    part=None,
    minimum=None,
    strata=None,
    covariates=None,
    replicates=None,
    **put,
) -> Subject:
    """A clean task of ``n`` random 60-mers in three chromosomes, with whatever is to be wrong with it."""
    strings = ["".join(RNG.choice(list("ACGT"), 60)) for _ in range(n)] if strings is None else strings
    n = len(strings)
    locus = np.arange(n) // tiles
    replicates = RNG.normal(size=(n, 1)) * (1, 1) + 0.5 * RNG.normal(size=(n, 2)) if replicates is None else replicates
    if y is not None:
        replicates = np.column_stack([y, y])
    if part is None:
        part = np.array([TEST, TRAIN, TRAIN, VALID], np.int8)[locus * 4 // (locus.max() + 1)][None]
    task = Task(
        Card("planted", "Planted"),
        Sequences.from_strings(strings, covariates),
        np.arange(n).astype(str),
        np.array([f"chr{code}" for code in part[0]]),
        np.full(n, -1, np.int64),
        locus,
        {"y": Target("y", np.asarray(replicates, float), ("1", "2"))},
        strata or {},
        Split("holdout"),
        "digest",
        minimum=minimum or {},
    )
    return Subject(dataclasses.replace(task, **put), Folds("holdout", np.asarray(part, np.int8)))


def other_strand(text: str) -> str:
    return text[::-1].translate(str.maketrans("ACGT", "TGCA"))
