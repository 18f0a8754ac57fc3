"""A second opinion on near duplicates: alignments by BLAST through hashFrag, where both are installed.

The check of our own compares k-mers, which a copy at 90 % identity no longer shares. hashFrag aligns
(Kiyota et al., Detecting and avoiding homology-based data leakage in genome-trained sequence models, 2025).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.audit.duplicates import leak_status
from bench.audit.finding import Finding, Subject
from bench.sequences import Sequences
from bench.tasks.task import TEST, TRAIN, VALID, Folds, Task

#: Commands that must be on PATH. hashFrag calls the other two.
COMMANDS = ("hashFrag", "makeblastdb", "blastn")
#: Rows are named by this and their number: it reads names of digits alone as numbers, and then finds no row of them.
NAME = "row"
#: Score of the best alignment (match 1, mismatch -1, gap -2 and -1 a further base) for each base of the test row from
#: which a row is near: a copy of half of it, or of the whole at 75 % identity. Of copies of 150 bases at 85 % identity
#: and more all reach it, at 80 % 92 %, at 75 % 52 %; of 2,000 unrelated rows against 2,000 none (docs/audit.md).
NEAR = 0.5
#: A score that short rows must reach whatever their length: the best of those 2,000 unrelated rows had 23.
LEAST = 30
#: Test rows that are aligned at most, evenly spaced over all folds, and rows that a model sees: 2,000 by 2,000 rows of
#: 150 bases take 2 s on two cores, 2,000 by 50,000 a minute.
MOST_TESTED, MOST_SEEN = 2_000, 200_000
#: Seconds that all folds may take together.
LIMIT = 300.0


class Absent(Exception):
    """hashFrag has nothing to say, and why."""


def check_hashfrag(subject: Subject) -> Iterator[Finding]:
    """Test rows that align well with a row that a model sees, by hashFrag."""
    try:
        found = aligned_across_split(subject.task, subject.folds)
    except Absent as reason:
        yield Finding("near-duplicates", "SKIPPED", "hashFrag", str(reason))
        return
    sample = f" (a sample of {found.all_rows:,})" if found.test_rows < found.all_rows else ""
    yield Finding(
        "near-duplicates",
        leak_status(found.near, found.test_rows),
        "hashFrag",
        f"{found.near:,} of {found.test_rows:,} test rows{sample} align with one training or validation row over"
        " half of their length or more, by BLAST",
        asdict(found),
    )


@dataclass(frozen=True)
class Aligned:
    """Test rows that align well with a row that a model sees.

    near : rows found. test_rows : rows that were aligned. all_rows : rows that are tested at all.
    """

    near: int
    test_rows: int
    all_rows: int


def aligned_across_split(task: Task, folds: Folds, limit: float = LIMIT) -> Aligned:
    """Test rows whose best alignment with a row that a model sees, on either strand, scores ``NEAR`` of their length.

    Raises
    ------
    Absent : when a command is missing, there are more rows than it can align, or it fails or takes longer than
    ``limit`` seconds.
    """
    missing = [command for command in COMMANDS if shutil.which(command) is None]
    if missing:
        raise Absent(f"not on PATH: {', '.join(missing)} (hashFrag and NCBI BLAST+ give a second opinion)")
    tested = np.flatnonzero((folds.part == TEST).any(axis=0))
    chosen = tested[np.unique(np.linspace(0, len(tested) - 1, min(len(tested), MOST_TESTED)).astype(np.int64))]
    most = max((int(((part == TRAIN) | (part == VALID)).sum()) for part in folds.part), default=0)
    if most > MOST_SEEN:
        raise Absent(f"{most:,} training and validation rows are more than the {MOST_SEEN:,} that are aligned at most")
    near = np.zeros(len(task), np.bool_)
    end = time.monotonic() + limit
    for part in folds.part:
        mine = chosen[part[chosen] == TEST]
        seen = np.flatnonzero((part == TRAIN) | (part == VALID))
        if len(mine) and len(seen):
            score = best_scores(task.sequences, mine, seen, end - time.monotonic())
            near[mine] |= score >= np.maximum(NEAR * task.sequences.lengths[mine], LEAST)
    return Aligned(int(near.sum()), len(chosen), len(tested))


def best_scores(
    sequences: Sequences, tested: NDArray[np.int64], seen: NDArray[np.int64], limit: float = LIMIT
) -> NDArray[np.float64]:
    """Score of each tested row's best alignment with a seen row, on either strand, float64 (m,); 0 without any."""
    with tempfile.TemporaryDirectory(prefix="bench-hashfrag-") as name:
        folder = Path(name)
        _write_fasta(folder / "seen.fa", sequences, seen)
        _write_fasta(folder / "tested.fa", sequences, tested)
        call = [COMMANDS[0], "stratify_test_split", "--train-fasta-path", "seen.fa", "--test-fasta-path", "tested.fa"]
        status, said = _run([*call, "-T", str(os.cpu_count() or 1), "-o", "out"], folder, limit)
        aligned = folder / "out" / "tested.blastn.out"
        table = folder / "out" / "hashFrag.stratified_test_split.tsv"
        scores = np.zeros(len(tested))
        if status != 0 and aligned.is_file() and aligned.stat().st_size == 0:
            return scores  # no alignment at all, on which version 1.0.2 stops with an error
        if status != 0 or not table.is_file():
            last = said.strip().splitlines()[-1:] or [f"exit status {status}"]
            raise Absent(f"{COMMANDS[0]} failed: {last[0].strip()}")
        place = {row: i for i, row in enumerate(tested.tolist())}
        for row, score in read_scores(table).items():
            scores[place[row]] = score
    return scores


def read_scores(path: Path) -> dict[int, float]:
    """Row number -> score from hashFrag's ``stratified_test_split.tsv`` (columns id, score, stratification).

    Raises
    ------
    Absent : for a table of another form.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    found = {}
    for number, line in enumerate(lines, 1):
        fields = line.split("\t")
        if number == 1:
            if fields[:2] != ["id", "score"]:
                raise Absent(f"{path.name} does not begin with the columns id and score but with {line!r}")
            continue
        try:
            found[int(fields[0].removeprefix(NAME))] = float(fields[1])
        except (ValueError, IndexError):
            raise Absent(f"{path.name}, line {number}: no row number and score in {line!r}") from None
    return found


def _write_fasta(path: Path, sequences: Sequences, rows: NDArray[np.int64]) -> None:
    with path.open("w", encoding="ascii") as out:
        for row, text in zip(rows.tolist(), sequences.take(rows).to_strings(), strict=True):
            out.write(f">{NAME}{row}\n{text}\n")


def _run(call: list[str], folder: Path, limit: float) -> tuple[int, str]:
    """Exit status and output of a command; with all that it started it is ended after ``limit`` seconds."""
    if limit <= 0:
        raise Absent(f"took longer than {LIMIT:.0f} s")
    process = subprocess.Popen(
        call, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        said, _ = process.communicate(timeout=limit)
    except BaseException as stop:
        os.killpg(process.pid, signal.SIGKILL)  # BLAST runs as a child of a shell of its own
        process.communicate()
        if isinstance(stop, subprocess.TimeoutExpired):
            raise Absent(f"took longer than {LIMIT:.0f} s") from None
        raise
    return process.returncode, said.decode("utf-8", "replace")
