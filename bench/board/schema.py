"""What ``summary.json`` holds: every number that the leaderboard shows of a task. Written and read by these classes.

A summary can be published, and rendered, without the predictions it was computed from. Its format number is raised when
a field changes its name or its meaning, and then ``upgrade`` gets one more step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field, ValidationError

from bench.errors import BenchError
from bench.files.atomic import CHECKSUM, has_its_checksum, read_json, write_json
from bench.stats import bootstrap
from bench.store.reading import SUMMARY as SUMMARY
from bench.store.record import CardRecord, Duplicates, NearDuplicates, Role, Stored

#: Format of what is written here. Older ones are upgraded, newer ones refused in words.
SUMMARY_FORMAT: Final = 2


def _stored(value: object) -> object:
    """A number as JSON holds it: None where it does not exist; floats keep 7 digits, more than any of them deserves."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return value


#: A float that may not exist: NaN and infinity become None.
Number: TypeAlias = Annotated[float | None, BeforeValidator(_stored)]
#: One that must.
Known: TypeAlias = Annotated[float, BeforeValidator(_stored)]


#: A JSON object of an older format, before it is upgraded.
Json: TypeAlias = dict[str, Any]


class Estimate(Stored):
    """A figure with the ends of its 95 % interval, which may be missing alone."""

    value: Known
    low: Number = None
    high: Number = None


def shown(figure: bootstrap.Estimate) -> Estimate | None:
    """A figure of ``bench.stats`` as it is kept; None where there is none."""
    return Estimate(**figure._asdict()) if math.isfinite(figure.value) else None


class TaskSummary(CardRecord):
    """What a reader must know of the task: its card, and the table it was computed from."""

    digest: str
    rows: int
    counts: dict[str, int]
    notes: list[str] = Field(default_factory=list)


class FailureSummary(Stored):
    """A fit that failed. ``log`` is the path of its traceback, relative to the result folder."""

    featurizer: str
    model: str
    seed: int
    reason: str
    log: str


class SkippedSummary(Stored):
    """A pair that makes no sense on the task; a featurizer that does not apply has no ``model``."""

    featurizer: str | None = None
    model: str | None = None
    reason: str = ""


class SizesSummary(Stored):
    """Rows of each part, one number per fold."""

    train: list[int] = Field(default_factory=list)
    valid: list[int] = Field(default_factory=list)
    test: list[int] = Field(default_factory=list)


class HalvesSummary(Stored):
    """Spearman between the halves of each row's barcodes, and the noise ceiling that follows."""

    rho: Known
    value: Known


class CeilingSummary(Stored):
    """The noise ceiling; without ``estimate``, ``reason`` says why there is none.

    replicates_per_row : mean number of measured replicates. replicate_rho : mean Spearman between two of them.
    reliability, reliability_gaussian : of their mean, by Spearman and on the rank-Gaussian scale.
    given_dna : the ceiling given log DNA. product_form, product_form_gc, mean_form : explained share of the best
    learner, of the GC-only one, and of the best one by the mean form; the first two only where the forms differ.
    """

    estimate: Estimate | None = None
    reason: str | None = None
    replicates: int | None = None
    replicates_per_row: Number = None
    replicate_rho: Number = None
    reliability: Number = None
    reliability_gaussian: Number = None
    given_dna: Number = None
    product_form: Number = None
    product_form_gc: Number = None
    mean_form: Number = None
    halves: HalvesSummary | None = None

    @property
    def value(self) -> float | None:
        """The ceiling itself."""
        return None if self.estimate is None else self.estimate.value


class ConfounderSummary(Stored):
    """A covariate of the rows: Spearman with the target and with GC."""

    name: str
    with_y: Estimate | None = None
    with_gc: Estimate | None = None


class ShareSummary(Stored):
    """GC's share by one GC-only learner ``gc`` against ``best``, as ``bench.stats.share`` defines its parts.

    The parts are fractions of the explainable variance, and of all variance (``of_total``) without replicates.
    """

    gc: str
    best: str | None = None
    of_explainable: Estimate | None = None
    of_learned: Estimate | None = None
    unique_of_explainable: Estimate | None = None
    of_total: Estimate | None = None
    unique_gc: Estimate | None = None
    unique_best: Estimate | None = None
    common: Estimate | None = None
    shapley: Estimate | None = None
    r2_best: Estimate | None = None


class VerdictSummary(Stored):
    """Whether the best deep model only counts GC, with the figures that the word follows from."""

    name: str
    word: str
    with_gc: Estimate | None = None
    given_gc: Estimate | None = None
    beyond_gc: Estimate | None = None
    dinucleotide_shuffled: Estimate | None = None


class HeldFixedSummary(Stored):
    """One learner under every way of holding GC fixed (``bench.stats.held_fixed``)."""

    name: str
    unadjusted: Estimate | None = None
    given_gc: Estimate | None = None
    within_gc_bins: Estimate | None = None
    gc_matched_auroc: Estimate | None = None
    gc_matched_rows: int | None = None
    dinucleotide_shuffled: Estimate | None = None
    gc_only_null: Estimate | None = None


class RowSummary(Stored):
    """One row of a board: a featurizer and a model over their seeds.

    score : mean over folds and seeds of the within-fold Spearman; folds : by fold; spread : its standard deviation over
    seeds.
    of_ceiling : score / noise ceiling. explained : share of the explainable variance.
    gain : score less that of the GC-only learner, paired; gain_p : its p.
    given_gc : partial Spearman given GC (spline). with_gc : Spearman with GC. beyond_gc : fraction of the variance it
    explains that GC does not. dinucleotide_shuffled : score on shuffled rows.
    letter : one for all rows that are tied with the best of their group.
    valid, train : Spearman on these rows. seconds : per seed.
    """

    name: str
    featurizer: str
    model: str
    role: Role = "sequence"
    gc_only: bool = False
    deep: bool = False
    is_gc_baseline: bool = False
    seeds: list[int]
    score: Estimate | None = None
    folds: list[Number] = Field(default_factory=list)
    spread: Number = None
    of_ceiling: Estimate | None = None
    explained: Estimate | None = None
    gain: Estimate | None = None
    gain_p: Number = None
    given_gc: Estimate | None = None
    with_gc: Estimate | None = None
    beyond_gc: Estimate | None = None
    dinucleotide_shuffled: Estimate | None = None
    verdict: str = ""
    letter: str = ""
    valid: Number = None
    train: Number = None
    seconds: Number = None
    device: str = ""
    n: int | None = None


class StratumSummary(Stored):
    """Figures of one level of a stratum; ``level`` is None for all rows together."""

    level: str | None = None
    n: int
    loci: int
    ceiling: Number = None
    rho_gc: Estimate | None = None
    gc: Estimate | None = None
    best: Estimate | None = None
    given_gc: Estimate | None = None
    share: Estimate | None = None


class BoardSummary(Stored):
    """Every number of one task, target and split.

    inputs : hash of all that they follow from. best, best_gc, best_deep : names of rows, chosen on validation rows.
    rho_gc : Spearman of GC with the target; rho_gc_dna : with log DNA. shares_apart : of GC-only learners in windows.
    """

    inputs: str
    target: str
    split: str
    folds_digest: str
    duplicates: Duplicates | None = None
    near: NearDuplicates | None = None
    left_out: list[str] = Field(default_factory=list)
    failed: list[FailureSummary] = Field(default_factory=list)
    folds: int = 0
    sizes: SizesSummary = SizesSummary()
    n: int | None = None
    loci: int | None = None
    effective_n: Number = None
    tied: Number = None
    draws: int | None = None
    ceiling: CeilingSummary
    rho_gc: Estimate | None = None
    rho_gc_dna: Estimate | None = None
    confounders: list[ConfounderSummary] = Field(default_factory=list)
    best: str | None = None
    best_gc: str | None = None
    best_deep: str | None = None
    share: ShareSummary | None = None
    shares_apart: list[ShareSummary] = Field(default_factory=list)
    verdict: VerdictSummary | None = None
    held_fixed: list[HeldFixedSummary] = Field(default_factory=list)
    rows: list[RowSummary] = Field(default_factory=list)
    strata: dict[str, list[StratumSummary]] = Field(default_factory=dict)
    warnings: list[str] = Field(default_factory=list)

    def row(self, name: str | None) -> RowSummary | None:
        """The row of a ``featurizer + model``."""
        return next((row for row in self.rows if row.name == name), None)


class Summary(Stored):
    """A task's ``summary.json``. ``pictures`` maps the name of a picture to a hash of what it was drawn from."""

    format: Literal[2] = SUMMARY_FORMAT
    task: TaskSummary
    boards: list[BoardSummary]
    skipped: list[SkippedSummary] = Field(default_factory=list)
    pictures: dict[str, str] = Field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write it, whole or not at all."""
        write_json(path, self.model_dump())


# ---- reading ---------------------------------------------------------------------------------------------------------
def read_summary(path: Path) -> Summary | None:
    """The summary in a file, upgraded; None where there is none.

    Raises
    ------
    BenchError : status 2 for a newer format; status 1 for a summary that lacks something.
    """
    content = None if path.is_symlink() else read_json(path)
    if content is not None and CHECKSUM in content and not has_its_checksum(content):
        raise _unreadable(path, "does not have the checksum that it was written with")
    if content is None or not isinstance(version := content.get("format"), int) or "boards" not in content:
        return None  # cut off, or of another program
    if version > SUMMARY_FORMAT:
        raise BenchError(f"{path}: written by a newer version of bench. Upgrade bench to read it.")
    if content.pop(CHECKSUM, None) is None and version > 1:
        raise _unreadable(path, "has no checksum")
    try:
        return Summary.model_validate(upgrade(content))
    except ValidationError as error:
        trouble = f"has no proper {'.'.join(map(str, error.errors()[0]['loc']))!r}"
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        trouble = f"is no summary of format {version}"
    raise _unreadable(path, trouble)


def _unreadable(path: Path, trouble: str) -> BenchError:
    return BenchError(f"{path}: {trouble}. Delete the file and run `bench report` where its predictions are.", status=1)


def upgrade(content: Json) -> Json:
    """The JSON of a summary of any older format in the present one."""
    version = content["format"]
    while version < SUMMARY_FORMAT:
        content = _UPGRADES[version](content)
        version += 1
    return {**content, "format": version}


#: Words of format 1 and what they are called since.
_VERDICTS = {"counter": "GC-only", "grammar": "beyond GC"}
_ROLES = {"floor": "null"}


def _renamed(content: Json, names: dict[str, str]) -> Json:
    return {names.get(key, key): value for key, value in content.items()}


def _from_1(content: Json) -> Json:
    skipped = [{key: skip.get(key) for key in ("featurizer", "model", "reason")} for skip in content.get("skipped", [])]
    return {**content, "boards": [_board_from_1(board) for board in content["boards"]], "skipped": skipped}


def _board_from_1(board: Json) -> Json:
    figures = {"beyond": "beyond_gc", "shuffled": "dinucleotide_shuffled"}
    held = {
        "score": "unadjusted",
        "within_bins": "within_gc_bins",
        "matched": "gc_matched_auroc",
        "matched_rows": "gc_matched_rows",
        "permuted": "gc_only_null",
        **figures,
    }
    board = _renamed(board, {"cells": "rows"})
    verdict = board.get("verdict")
    if verdict:
        board["verdict"] = {**_renamed(verdict, figures), "word": _VERDICTS.get(verdict["word"], verdict["word"])}
    board["rows"] = [
        {
            **_renamed(row, figures),
            "verdict": _VERDICTS.get(row["verdict"], row["verdict"]),
            "role": _ROLES.get(row["role"], row["role"]),
        }
        for row in board["rows"]
    ]
    board["held_fixed"] = [_renamed(row, held) for row in board.get("held_fixed") or []]
    board["ceiling"] = _ceiling_from_1(board["ceiling"])
    board["strata"] = {name: [_stratum_from_1(row) for row in rows] for name, rows in board["strata"].items()}
    return board


def _ceiling_from_1(ceiling: Json) -> Json:
    names = {"replicates_a_row": "replicates_per_row", "product": "product_form", "product_gc": "product_form_gc"}
    rest = _renamed(ceiling, names)
    ends = {key: rest.pop(key, None) for key in ("value", "low", "high")}
    return {"estimate": None if ends["value"] is None else ends, **rest}


def _stratum_from_1(row: Json) -> Json:
    rest = dict(row)
    value, (low, high) = rest.pop("share"), rest.pop("share_interval", None) or (None, None)
    return {**rest, "share": None if value is None else {"value": value, "low": low, "high": high}}


#: From each older format to the one after it.
_UPGRADES: dict[int, Callable[[Json], Json]] = {1: _from_1}
