"""What is kept of a transfer, ``transfer/<name>.json``: models of one task on the rows of another."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from bench.board.figure import Estimate
from bench.store.record import Record, State, Stored, read_record, write_record
from bench.store.result import safe_name

#: Folder of a folder of results that holds them.
FOLDER = "transfer"


class CarriedSummary(Stored):
    """One learner. carried : Spearman of its transferred predictions. of_ceiling : over the noise ceiling. gain : over
    that of the GC-only learner, paired. there : of the same learner trained on the other task, on the same rows; lost :
    that less carried, paired; ``reason`` says why they are not there. key : of the result that was transferred."""

    featurizer: str
    model: str
    gc_only: bool
    seeds: list[int]
    key: str
    carried: Estimate | None = None
    of_ceiling: Estimate | None = None
    gain: Estimate | None = None
    there: Estimate | None = None
    lost: Estimate | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """``featurizer + model``."""
        return f"{self.featurizer} + {self.model}"


class Side(Stored):
    """A task of a transfer: its name, target, split, and digests of its rows and folds."""

    task: str
    target: str
    split: str
    digest: str
    folds_digest: str


class TransferRecord(Record):
    """One transfer.

    Attributes
    ----------
    lengths : what became of rows of other lengths; ``cut`` and ``padded`` rows; ``fitted`` : shortest and longest row
        that the models were fitted on.
    rows, loci : that were scored. seen : rows left out because every fold's model has seen them, or near copies.
    partly : scored rows that some folds' models have seen, and that the others predict.
    ceiling : noise ceiling of these rows; ``reason`` where there is none.
    """

    source: Side
    onto: Side
    lengths: Literal["centre", "pad", "tile"]
    fitted: list[int]
    cut: int
    padded: int
    rows: int
    loci: int
    seen: int
    partly: int
    ceiling: Estimate | None = None
    reason: str | None = None
    learners: list[CarriedSummary] = Field(default_factory=list)

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{safe_name(f'{self.source.task},{self.source.target}-to-{self.onto.task},{self.onto.target}')}.json"


def write_transfer(root: Path, record: TransferRecord) -> Path:
    """Keep a transfer in a folder of results, in place of an earlier one of the same tasks and targets."""
    from bench.files.atomic import disk_errors

    folder = root / FOLDER
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_record(folder / record.file, record)
    return folder / record.file


def read_transfers(root: Path) -> tuple[list[TransferRecord], list[str]]:
    """The transfers of a folder of results, by name, and a line for each file that cannot be read."""
    found, wrong = [], []
    for path in sorted((root / FOLDER).glob("*.json")):
        read = read_record(TransferRecord, path)
        if read.record is not None and read.state == State.WHOLE:
            found.append(read.record)
        else:
            wrong.append(f"{FOLDER}/{path.name}: {read.why}")
    return found, wrong
