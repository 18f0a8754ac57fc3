"""The numbers of a board: stored predictions in, a ``BoardSummary`` out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.board.joint import Joint, joint_draws
from bench.board.load import Board, BoardFiles, Failure, PairScores, TaskFiles, load_board
from bench.board.schema import (
    BoardSummary,
    CeilingSummary,
    ConfounderSummary,
    Estimate,
    FailureSummary,
    HalvesSummary,
    HeldFixedSummary,
    RowSummary,
    ShareSummary,
    SizesSummary,
    VerdictSummary,
    shown,
)
from bench.board.strata import strata_summary
from bench.stats import bootstrap
from bench.stats.ceilings import half_ceiling
from bench.stats.figures import RowFigures, TargetFigures, target_figures
from bench.stats.held_fixed import held_fixed
from bench.stats.observations import Learners, Observations
from bench.stats.ranks import spearman_by_fold
from bench.stats.share import choose_on_validation
from bench.store.predictions import PartName
from bench.store.record import FoldsRecord, ResultRecord, read_record
from bench.store.store import folds_file

if TYPE_CHECKING:
    import pandas as pd

#: Name of the abundance covariate, as the board shows it.
LOG_DNA = "log DNA count"


def board_summary(
    task: TaskFiles, files: BoardFiles, rows: pd.DataFrame, joint: Joint | None = None, *, inputs: str = ""
) -> BoardSummary:
    """Every number of one board, from ``bench.stats`` over the stored test predictions.

    Parameters
    ----------
    rows : rows.parquet of the task.
    joint : the draws that the boards on these folds share; made here without it.
    inputs : hash of all that the numbers follow from (``bench.board.summarise``).
    """
    board = load_board(task, files, rows)
    folds = read_record(FoldsRecord, task.folder / folds_file(files.folds_digest)).record
    empty = BoardSummary(
        inputs=inputs,
        target=files.target,
        split=files.split,
        folds_digest=files.folds_digest,
        duplicates=None if folds is None else folds.duplicates,
        left_out=files.left_out if board is None else board.left_out,
        failed=[_failure(task, failure) for failure in files.failed],
        ceiling=CeilingSummary(reason="no finished result"),
    )
    if board is None:
        return empty
    return _computed(empty, board, joint or joint_draws(task, files.folds_digest, rows))


def _computed(empty: BoardSummary, board: Board, joint: Joint) -> BoardSummary:
    """The summary of a board with at least one result; ``empty`` has what does not follow from predictions."""
    rows = board.rows.iloc[board.test_row]
    pairs = {pair.name: pair for pair in board.results}
    valid = {name: _recorded(pair, "valid") for name, pair in pairs.items()}
    known = {name: np.nan if score is None else score for name, score in valid.items()}
    found = _figures(board, rows, known, joint)
    by_name = {figures.name: figures for figures in found.learners}
    deep = [name for name, pair in pairs.items() if pair.deep and not pair.gc_only]
    best_deep = max(deep, key=lambda name: (_or(valid[name], -2), name), default=None)
    confounders = [
        ConfounderSummary(name=c.name, with_y=shown(c.with_y), with_gc=shown(c.with_gc)) for c in found.confounders
    ]
    apart = _share(found, choose_on_validation(_gc_windowed(board.results), known))
    strata, warnings = strata_summary(board, found, pairs, joint)
    sizes = board.results[0].records[0].rows
    return BoardSummary(
        inputs=empty.inputs,
        target=empty.target,
        split=empty.split,
        folds_digest=empty.folds_digest,
        duplicates=empty.duplicates,
        left_out=empty.left_out,
        failed=empty.failed,
        folds=found.folds,
        sizes=SizesSummary(train=sizes["train"], valid=sizes["valid"], test=sizes["test"]),
        n=found.rows,
        loci=found.loci,
        effective_n=found.effective_rows,
        tied=found.tied,
        draws=found.draws,
        ceiling=_ceiling(found, board, rows),
        rho_gc=shown(found.gc_with_y),
        rho_gc_dna=next((c.with_gc for c in confounders if c.name == LOG_DNA), None),
        confounders=confounders,
        best=found.best_learner,
        best_gc=found.gc_learner,
        best_deep=best_deep,
        share=_share(found, found.gc_learner),
        shares_apart=[] if apart is None else [apart],
        verdict=None if best_deep is None else _verdict(by_name[best_deep]),
        held_fixed=[
            _held_fixed(board, pairs[name], by_name[name], joint)
            for name in dict.fromkeys((found.best_learner, best_deep, found.gc_learner))
            if name is not None
        ],
        rows=[_row(pair, by_name[name], board, valid[name], found.gc_learner) for name, pair in pairs.items()],
        strata=strata,
        warnings=warnings,
    )


def _figures(board: Board, rows: pd.DataFrame, validation: dict[str, float], joint: Joint) -> TargetFigures:
    """The figures of all rows of a board. ``rows`` : the task's rows that are tested, in the board's order."""
    log_dna = _log_dna(rows)
    place = board.test_row
    observations = Observations(
        board.value[place],
        board.test_fold,
        joint.codes[place],
        board.replicates[place],
        rows["gc"].to_numpy(np.float64),
        log_dna,
        _confounders(rows, log_dna),
    )
    learners = Learners(
        {pair.name: pair.test.T for pair in board.results},
        gc_only=[pair.name for pair in board.results if pair.gc_only and pair.records[0].kind == "table"],
        gc_windowed=_gc_windowed(board.results),
        baselines=[pair.name for pair in board.results if pair.role != "sequence"],
        validation=validation,
        shuffled={pair.name: pair.shuffled.T for pair in board.results if pair.shuffled is not None},
    )
    return target_figures(observations, learners, draws=joint.draws)


def _gc_windowed(pairs: list[PairScores]) -> list[str]:
    """Names of the pairs that see GC in windows along the row: their share is told apart."""
    return [pair.name for pair in pairs if pair.gc_only and pair.records[0].kind != "table"]


def _log_dna(rows: pd.DataFrame) -> NDArray[np.float64] | None:
    if "x:dna_count" not in rows:
        return None
    dna: NDArray[np.float64] = rows["x:dna_count"].to_numpy(np.float64)
    return np.log(np.where(dna > 0, dna, np.nan))


def _confounders(rows: pd.DataFrame, log_dna: NDArray[np.float64] | None) -> dict[str, NDArray[np.float64]]:
    columns = {"length": rows["length"].to_numpy(np.float64)}
    if log_dna is not None:
        columns[LOG_DNA] = log_dna
    for name in rows.columns:
        if name.startswith("x:") and name != "x:dna_count":
            columns[name[2:]] = rows[name].to_numpy(np.float64)
    # One value in all rows cannot confound anything.
    return {name: column for name, column in columns.items() if np.nanmin(column) < np.nanmax(column)}


def _recorded(pair: PairScores, part: PartName) -> float | None:
    """Mean over folds and seeds of the scores that the fits recorded for a part."""
    scores = [score for record in pair.records for score in record.spearman[part] if score is not None]
    return float(np.mean(scores)) if scores else None


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


# ---- the parts of a summary ------------------------------------------------------------------------------------------
def _row(
    pair: PairScores, figures: RowFigures, board: Board, valid: float | None, gc_learner: str | None
) -> RowSummary:
    records = pair.records
    return RowSummary(
        name=pair.name,
        featurizer=pair.featurizer,
        model=pair.model,
        role=pair.role,
        gc_only=pair.gc_only,
        deep=pair.deep,
        is_gc_baseline=pair.name == gc_learner,
        seeds=[record.seed for record in records],
        score=shown(figures.spearman),
        folds=list(figures.fold_scores),
        spread=_spread(pair, board),
        of_ceiling=shown(figures.of_ceiling),
        explained=shown(figures.explained),
        gain=shown(figures.gain),
        gain_p=figures.gain_p,
        given_gc=shown(figures.given_gc),
        with_gc=shown(figures.with_gc),
        beyond_gc=shown(figures.beyond),
        dinucleotide_shuffled=shown(figures.shuffled),
        verdict=figures.verdict,
        letter=figures.letter,
        valid=valid,
        train=_recorded(pair, "train"),
        seconds=_mean_seconds(records),
        device=", ".join(sorted({record.device for record in records})),
        n=len(board.test_row),
    )


def _mean_seconds(records: list[ResultRecord]) -> float | None:
    """Mean over seeds of what a result took; None for predictions made elsewhere."""
    took = [sum(record.seconds.values()) for record in records if record.seconds]
    return float(np.mean(took)) if took else None


def _spread(pair: PairScores, board: Board) -> float | None:
    """Standard deviation of the score over seeds; None for one seed."""
    if len(pair.test) < 2:
        return None
    y = board.value[board.test_row]
    return float(np.std([spearman_by_fold(y, seed, board.test_fold).mean() for seed in pair.test], ddof=1))


def _ceiling(found: TargetFigures, board: Board, rows: pd.DataFrame) -> CeilingSummary:
    replicates, halves = board.replicates.shape[1], _halves(board, rows)
    if found.ceiling is None:
        reason = "one replicate" if replicates < 2 else "the replicates do not correlate"
        return CeilingSummary(reason=reason, replicates=replicates, halves=halves)
    given = found.ceiling_given_dna
    return CeilingSummary(
        estimate=shown(found.ceiling_best),
        replicates=replicates,
        replicates_per_row=found.ceiling.replicates,
        replicate_rho=found.ceiling.r,
        reliability=found.ceiling.reliability,
        given_dna=None if given is None else given.best,
        halves=halves,
    )


def _halves(board: Board, rows: pd.DataFrame) -> HalvesSummary | None:
    """Correlation between the halves of each row's barcodes, and the ceiling it gives; None without barcodes."""
    names = [f"h:{board.files.target}:{half}" for half in (1, 2)]
    if not all(name in rows for name in names):
        return None
    first, second = (rows[name].to_numpy(np.float64) for name in names)
    found = half_ceiling(first, second, board.test_fold)
    return None if found is None else HalvesSummary(rho=found.r, value=found.best)


def _share(found: TargetFigures, name: str | None) -> ShareSummary | None:
    """GC's share by one GC-only learner, as fractions of explainable variance (of all variance without a ceiling)."""
    part = found.shares.get(name) if name is not None else None
    if part is None or name is None:
        return None
    scale = 1 / part.reliability.value if np.isfinite(part.of_explainable.value) else 1.0

    def scaled(figure: bootstrap.Estimate) -> Estimate | None:
        return shown(bootstrap.Estimate(*(scale * value for value in figure)))

    return ShareSummary(
        gc=name,
        best=found.best_learner,
        of_explainable=shown(part.of_explainable),
        of_learned=shown(part.of_learned),
        of_total=shown(part.r2_gc),
        unique_gc=scaled(part.unique_gc),
        unique_best=scaled(part.unique_best),
        common=scaled(part.common),
        shapley=scaled(part.shapley),
        best_of_explainable=scaled(part.r2_best),
    )


def _verdict(figures: RowFigures) -> VerdictSummary:
    return VerdictSummary(
        name=figures.name,
        word=figures.verdict,
        with_gc=shown(figures.with_gc),
        given_gc=shown(figures.given_gc),
        beyond_gc=shown(figures.beyond),
        dinucleotide_shuffled=shown(figures.shuffled),
    )


def _held_fixed(board: Board, pair: PairScores, figures: RowFigures, joint: Joint) -> HeldFixedSummary:
    """One learner's score under every way of holding GC fixed."""
    place = board.test_row
    gc = board.rows["gc"].to_numpy(np.float64)[place]
    fixed = held_fixed(board.value[place], pair.test.T, gc, joint.codes[place], board.test_fold, draws=joint.draws)
    return HeldFixedSummary(
        name=figures.name,
        unadjusted=shown(figures.spearman),
        given_gc=shown(figures.given_gc),
        within_gc_bins=shown(fixed.within_bins),
        gc_matched_auroc=shown(fixed.matched),
        gc_matched_rows=fixed.matched_rows,
        dinucleotide_shuffled=shown(figures.shuffled),
        gc_only_null=shown(fixed.gc_only_null),
    )


def _failure(task: TaskFiles, failure: Failure) -> FailureSummary:
    note = failure.record
    return FailureSummary(
        featurizer=note.featurizer,
        model=note.model,
        seed=note.seed,
        reason=note.reason,
        log=(Path(task.folder.name) / failure.folder.relative_to(task.folder) / "failed.log").as_posix(),
    )
