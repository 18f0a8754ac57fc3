"""Which rows of a task models of another have seen: the same bases, near ones, places, loci."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench.sequences import Sequences
from bench.tasks.seen import seen_rows
from bench.tasks.splits import Split
from bench.tasks.task import DROPPED, TEST, TRAIN, VALID, Card, Folds, Target, Task

PAIRS = str.maketrans("ACGT", "TGCA")


def task(strings: list[str], names: list[str], *, genome: str = "", start: list[int] | None = None) -> Task:
    n = len(strings)
    return Task(
        Card("t", "t", genome=genome),
        Sequences.from_strings(strings),
        np.array(names),
        np.array(["chr1"] * n),
        np.array([-1] * n if start is None else start, np.int64),
        np.arange(n),
        {"y": Target("y", np.arange(n, dtype=float)[:, None], ("r",))},
        {},
        Split.parse("locus-kfold[k=3]"),
        "d",
    )


def drawn(n: int, length: int = 120, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(n)]


#: Rows 0 to 3: tested, trained, validated, dropped in fold 0; the other way about in fold 1.
FOLDS = Folds("f", np.array([[TEST, TRAIN, VALID, DROPPED], [TRAIN, TEST, DROPPED, VALID]], np.int8))
SEEN = [[False, True], [True, False], [True, False], [False, True]]


def test_copies_other_strands_and_near_copies() -> None:
    mine = drawn(4)
    rng = np.random.default_rng(3)
    changed = [list(text) for text in mine]
    for text in changed:
        at = int(rng.integers(40, 80))
        text[at] = "A" if text[at] != "A" else "C"
    source = task(mine, ["a", "b", "c", "d"])
    for others in (mine, [text[::-1].translate(PAIRS) for text in mine], ["".join(text) for text in changed]):
        found = seen_rows(task(others, ["e", "f", "g", "h"]), source, FOLDS)
        assert found.tolist() == SEEN
    # a third of the bases of a row is no near copy
    parts = [text[:40] + other[40:] for text, other in zip(mine, drawn(4, seed=9), strict=True)]
    assert not seen_rows(task(parts, ["e", "f", "g", "h"]), source, FOLDS).any()


def test_overlaps_count_in_one_genome_alone() -> None:
    source = task(drawn(4), ["a", "b", "c", "d"], genome="hg38", start=[0, 1000, 2000, 3000])
    other = task(drawn(4, seed=1), ["e", "f", "g", "h"], genome="hg38", start=[119, 1119, 1881, 5000])
    assert seen_rows(other, source, FOLDS).tolist() == [*SEEN[:3], [False, False]]
    assert not seen_rows(replace(other, card=Card("t", "t", genome="hg19")), source, FOLDS).any()
    assert not seen_rows(replace(other, card=Card("t", "t")), source, FOLDS).any()


def test_an_assembly_has_several_names_and_a_chromosome_two() -> None:
    source = task(drawn(4), ["a", "b", "c", "d"], genome="hg38", start=[0, 1000, 2000, 3000])
    other = task(drawn(4, seed=1), ["e", "f", "g", "h"], genome="GRCh38.p14", start=[119, 1119, 1881, 5000])
    other = replace(other, chrom=np.array(["1"] * 4))
    assert seen_rows(other, source, FOLDS).tolist() == [*SEEN[:3], [False, False]]
    assert not seen_rows(replace(other, card=Card("t", "t", genome="GRCh37")), source, FOLDS).any()


def test_no_genome_is_none_in_common() -> None:
    start = [0, 1000, 2000, 3000]  # made up, as those of synthetic rows are
    for said in ("none", "N/A", "synthetic", " None "):
        source = task(drawn(4), ["a", "b", "c", "d"], genome=said, start=start)
        other = task(drawn(4, seed=1), ["e", "f", "g", "h"], genome=said, start=start)
        assert not seen_rows(other, source, FOLDS).any()


def test_loci_of_a_task_that_both_are_rows_of() -> None:
    whole = task(drawn(8), [*"abcdefgh"])
    whole = replace(whole, locus=np.array([0, 1, 2, 3, 2, 1, 0, 7]))
    first = task(drawn(4), [*"abcd"])
    second = task(drawn(8)[4:], [*"efgh"])
    found = seen_rows(second, first, FOLDS, whole)
    assert found.tolist() == [SEEN[2], SEEN[1], SEEN[0], [False, False]]
