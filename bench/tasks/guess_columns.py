"""Which columns of a table hold what was measured: activities or counts, replicates, abundance of the DNA."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.numbers import MISSING, parse_numbers
from bench.tasks.columns import Columns
from bench.tasks.draft import Draft
from bench.tasks.labels import sounds_positive

#: Names of columns of activities, of counts, and of what is no measurement of the outcome.
_ACTIVITY = re.compile(
    r"log2?|lfc|fold_?change|activity|expr|enrichment|mean_value|ratio|score|signal|target|\brep|(?<![a-z])y(?![a-z])",
    re.IGNORECASE,
)
_DNA = re.compile(r"(?<![a-z])(dna|plasmid|input|ipcr|gdna)(?![a-z])", re.IGNORECASE)
_RNA = re.compile(r"(?<![a-z])(m?rna|cdna|output|starr)(?![a-z])", re.IGNORECASE)
_BARCODES = re.compile(r"(?<![a-z])(n|num|number)?[ _.]?(obs_)?(bc|bcs|barcodes?)(_count)?(?![a-z])", re.IGNORECASE)
_OTHER = re.compile(
    r"p.?val|q.?val|padj|fdr|(?<![a-z])(se|sd|std|sem|stderr|lfcse|var|gc|length|len|chr|pos|position|index|row|tile)(?![a-z])",
    re.IGNORECASE,
)
#: The number of a replicate within the name of a column.
_NUMBER = re.compile(
    r"(?:[ _.-]?(?:bio|biol|tech)?[ _.-]?(?:replicate|rep|r|br)[ _.-]?(\d+|[A-D])(?![A-Za-z0-9]))|(\d+)$"
)


@dataclass(frozen=True)
class Numbers:
    """A column of numbers. ``whole``: none is negative or has a fraction, as counts."""

    name: str
    whole: bool

    @property
    def stem(self) -> str:
        """The name without the number of its replicate, "" where that was all."""
        found = list(_NUMBER.finditer(self.name))
        if not found:
            return self.name
        return (self.name[: found[-1].start()] + self.name[found[-1].end() :]).strip(" _.-")

    @property
    def numbered(self) -> bool:
        """Whether the name has the number of a replicate."""
        return _NUMBER.search(self.name) is not None


def measurements(draft: Draft, table: Columns, names: list[str], *, long: bool) -> None:
    """Targets and covariates of a table, added to a draft.

    Parameters
    ----------
    names : columns that play no other part. long : whether one column holds all replicates.

    Raises
    ------
    BenchError : where no column holds numbers.
    """
    numbers = [found for name in names if (found := _numbers(table, name)) and not _OTHER.search(name)]
    barcodes = [each for each in numbers if each.whole and _BARCODES.search(each.name)]
    rest = [each for each in numbers if each not in barcodes]
    dna = [each for each in rest if _DNA.search(each.name) and not _RNA.search(each.name)]
    both = [each for each in rest if _DNA.search(each.name) and _RNA.search(each.name)]  # RNA/DNA is a ratio
    rna = [each for each in rest if _RNA.search(each.name) and each not in dna and each not in both]
    activities = [each for each in rest if each not in dna and each not in rna]
    told = [each for each in activities if _ACTIVITY.search(each.name) or each in both]
    if dna and not rna and activities and not told and all(each.whole for each in (*dna, *activities)):
        rna, activities = activities, []
    covariates: dict[str, str] = {}
    words = two_words(table, names)
    if len(dna) == 1:
        covariates["dna_count"] = dna[0].name
    if len(barcodes) == 1:
        covariates["barcodes"] = barcodes[0].name
    if told or (activities and not (dna and rna)):
        _activities(draft, told or activities, sure=bool(told), long=long)
    elif dna and rna and all(each.whole for each in (*dna, *rna)):
        covariates.pop("dna_count", None)
        _counts(draft, rna, dna)
    elif words and not (dna and rna):
        _labels(draft, words)
        words = {}
    else:
        if dna and rna:
            fraction = next(each.name for each in (*rna, *dna) if not each.whole)
            raise BenchError(
                f"{table.source}: {fraction!r} has fractions, so that RNA and DNA are not raw counts. Give those, or"
                " add a column of log2(RNA/DNA) per replicate."
            )
        raise BenchError(
            f"{table.source}: no column holds activities, or counts of both RNA and DNA. There is:"
            f" {', '.join(names[:8]) or 'no other column'}. Write the task file by hand: docs/task-file.md."
        )
    _mark_binary(draft, table)
    for name, (positive, _) in words.items():
        draft.remarks.append(
            f"Column {name!r} holds two words. As a binary target: [targets.{_target_name(name)}] replicates ="
            f' ["{name}"], positive = "{positive}"'
        )
    if covariates:
        draft.add("columns.covariates", covariates, "measured besides the target")
    if "dna_count" in covariates or (dna and rna):
        draft.remarks.append("Elements of little DNA are noise: a common filter is [minimum] dna_count = 10.")


def two_words(table: Columns, names: list[str]) -> dict[str, tuple[str, str]]:
    """The columns that hold two labels and nothing else, each in at least 5 rows: which sounds positive, and the
    other."""
    found = {}
    for name in names:
        labels, rows = np.unique(table.text(name), return_counts=True)
        said = [(str(label), int(n)) for label, n in zip(labels, rows, strict=True) if label not in ("", *MISSING)]
        if len(said) == 2 and min(n for _, n in said) >= 5 and _numbers(table, name) is None:
            positive = sounds_positive([label for label, _ in said])
            found[name] = positive, next(label for label, _ in said if label != positive)
    return found


def _labels(draft: Draft, words: dict[str, tuple[str, str]]) -> None:
    """A binary target of the first column of two words."""
    name, (positive, other) = next(iter(words.items()))
    key = f"targets.{_target_name(name)}"
    draft.add(f"{key}.replicates", [name], "two labels; no replicates: no attainable maximum")
    draft.add(f"{key}.positive", positive, f"the other is {other}", f"Which label of {name!r} is positive")


def _mark_binary(draft: Draft, table: Columns) -> None:
    """``kind = "binary"`` for targets whose columns hold 0 and 1 alone."""
    for guess in list(draft.guesses):
        if guess.key[0] == "targets" and guess.key[-1] == "replicates":
            values = [parse_numbers(table.strings(column))[0] for column in guess.value]
            if all(np.isin(each[np.isfinite(each)], (0, 1)).all() and np.isfinite(each).any() for each in values):
                draft.add(f"targets.{guess.key[1]}.kind", "binary", "0 and 1")


def _activities(draft: Draft, columns: list[Numbers], *, sure: bool, long: bool) -> None:
    """Targets of columns of activities: numbered ones are replicates, others are targets."""
    groups: dict[str, list[str]] = {}
    for column in columns:
        groups.setdefault(column.stem.lower() if column.numbered else f"\0{column.name}", []).append(column.name)
    several = [names for names in groups.values() if len(names) > 1]
    if several and not long:
        for names in several:
            stem = Numbers(names[0], False).stem
            draft.add(
                f"targets.{_target_name(stem if len(several) > 1 else '')}.replicates",
                names,
                "one column per biological replicate",
                "" if sure else "Which columns are the replicates of one measurement",
            )
        return
    names = [column.name for column in columns]
    if len(names) == 1:
        why = "divided by the column of replicates" if long else "no replicates: no noise ceiling"
        question = "" if sure else "Which column holds the activities"
        draft.add(f"targets.{_target_name(names[0])}.replicates", names, why, question)
        return
    best = [name for name in names if re.search(r"log2?|lfc|fold_?change", name, re.IGNORECASE)]
    if long or len(best) == 1:
        chosen = (best or names)[:1]
        question = "" if len(best) == 1 else f"Which column holds the activities ({', '.join(names)})"
        draft.add(f"targets.{_target_name(chosen[0])}.replicates", chosen, "activities", question)
        return
    draft.add(
        "targets.activity.replicates",
        names,
        "one column per biological replicate",
        f"Columns of activities: {', '.join(names)}. Which are replicates of one measurement",
    )


def _counts(draft: Draft, rna: list[Numbers], dna: list[Numbers]) -> None:
    """A target given as counts; without doubt where RNA is numbered as replicates are and DNA is one library or as
    many."""
    fits = len(dna) == 1 or len(dna) == len(rna)
    sure = fits and len({each.stem.lower() for each in rna}) == 1 and all(_RNA.search(each.name) for each in rna)
    question = "" if sure else "Which columns are RNA counts, one per biological replicate"
    draft.add("targets.activity.rna", [each.name for each in rna], "raw counts, one column per replicate", question)
    question = "" if sure else "Which columns are DNA counts: one, or one per replicate"
    draft.add("targets.activity.dna", [each.name for each in dna], "one library, or one per replicate", question)


def _numbers(table: Columns, name: str) -> Numbers | None:
    """A column, where it holds numbers and nothing else."""
    values: NDArray[np.float64]
    values, wrong = parse_numbers(table.strings(name))
    known = values[np.isfinite(values)]
    if not len(known) or wrong.any() or len(np.unique(known)) < 2:
        return None
    return Numbers(name, bool((known >= 0).all() and (known % 1 == 0).all()))


def _target_name(stem: str) -> str:
    """A name of a target from that of its columns."""
    plain = re.sub(r"[^A-Za-z0-9_.+-]+", "-", stem).strip("-_.+")
    words = re.sub(r"(?i)[ _.-]?(log2?|log2fc|lfc|fold_?change|rna|dna|ratio)[ _.-]?", "", plain).strip("-_.+")
    return words if words else "activity"
