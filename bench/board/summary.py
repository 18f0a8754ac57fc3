"""The numbers of a board: stored predictions in, a ``BoardSummary`` out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.board.binary import as_binary
from bench.board.figure import number, shown
from bench.board.joint import Joint, joint_draws
from bench.board.load import Board, BoardFiles, Failure, PairScores, TaskFiles, load_board
from bench.board.pairs import pairs_summary
from bench.board.schema import (
    BoardSummary,
    CeilingSummary,
    ChromosomeSummary,
    ConfounderSummary,
    FailureSummary,
    HeldFixedSummary,
    LibraryTest,
    RowSummary,
    SizesSummary,
    VerdictSummary,
)
from bench.board.share import ceiling_summary, choice_summary, combine_summary, cpg_apart, share_summary
from bench.board.strata import strata_summary
from bench.stats.figures import TargetFigures, target_figures
from bench.stats.held_fixed import held_fixed
from bench.stats.library import LibraryKind
from bench.stats.observations import Learners, Observations
from bench.stats.ranks import fold_scores, mean_of_scores
from bench.stats.rows import Choice, RowFigures
from bench.store.predictions import PartName
from bench.store.record import FoldsRecord, ResultRecord

if TYPE_CHECKING:
    import pandas as pd

#: Name of the abundance covariate, as the board shows it.
LOG_DNA = "log DNA count"


def board_summary(task: TaskFiles, files: BoardFiles, rows: pd.DataFrame, joint: Joint | None = None) -> BoardSummary:
    """Every number of one board, from ``bench.stats`` over the stored test predictions.

    Parameters
    ----------
    rows : rows.parquet of the task.
    joint : the draws that the boards on these folds share; made here without it.

    Its ``inputs`` are empty: what its numbers follow from is ``bench.board.summarise``'s to say.
    """
    board = load_board(task, files, rows)
    empty = BoardSummary(
        inputs="",
        target=files.target,
        split=files.split,
        folds_digest=files.folds_digest,
        duplicates=None if files.folds is None else files.folds.duplicates,
        near=None if files.folds is None else files.folds.near,
        warnings=[] if files.folds is None else _failed_checks(files.folds, files.target),
        left_out=files.left_out if board is None else board.left_out,
        failed=[_failure(task, failure) for failure in files.failed],
        ceiling=CeilingSummary(reason="no finished result"),
    )
    if board is None:
        return empty
    return _computed(empty, board, joint or joint_draws(task, files.folds_digest, rows))


def _failed_checks(folds: FoldsRecord, target: str) -> list[str]:
    """What the run found wrong with the task, as far as it is about a target or about all of them."""
    return [f"{check.check}: {check.reason}" for check in folds.failed_checks if check.target in ("", target)]


def _computed(empty: BoardSummary, board: Board, joint: Joint) -> BoardSummary:
    """The summary of a board with at least one result; ``empty`` has what does not follow from predictions."""
    rows = board.rows.iloc[board.test_row]
    pairs = {pair.name: pair for pair in board.results}
    found = _figures(board, rows, joint)
    by_name = {figures.name: figures for figures in found.learners}
    confounders = [
        ConfounderSummary(name=c.name, with_y=shown(c.with_y), with_gc=shown(c.with_gc)) for c in found.confounders
    ]
    strata, heterogeneity, warnings = strata_summary(board, found, pairs, joint)
    sizes = max((record.rows for pair in board.results for record in pair.records), key=_total)  # some have no training
    named = [found.chosen(role) for role in ("best", "deep", "gc")]
    deep = found.choices.get("deep")
    summary = BoardSummary(
        inputs=empty.inputs,
        target=empty.target,
        split=empty.split,
        folds_digest=empty.folds_digest,
        duplicates=empty.duplicates,
        near=empty.near,
        failed=empty.failed,
        left_out=board.left_out,
        folds=found.folds,
        sizes=SizesSummary(train=sizes["train"], valid=sizes["valid"], test=sizes["test"]),
        n=found.rows,
        loci=found.loci,
        effective_n=number(found.effective_rows),
        tied=number(found.tied),
        draws=found.draws,
        ceiling=ceiling_summary(found, board, rows),
        combined=combine_summary(board),
        rho_gc=shown(found.gc_with_y),
        rho_gc_dna=next((c.with_gc for c in confounders if c.name == LOG_DNA), None),
        confounders=confounders,
        library=[
            LibraryTest(kind=t.kind, name=t.name, with_gc=shown(t.with_gc), matters=t.matters)
            for t in (*found.library, *([board.unmeasured] if board.unmeasured else []))
        ],
        best=found.chosen("best"),
        best_gc=found.chosen("gc"),
        best_deep=found.chosen("deep"),
        choices={role: choice_summary(choice) for role, choice in found.choices.items()},
        few_loci=found.few_loci,
        largest_locus=number(found.largest_locus),
        locus_capped=found.capped,
        chromosome=(
            None
            if found.chromosome is None
            else ChromosomeSummary(name=found.chromosome[0], fraction=found.chromosome[1])
        ),
        cpg_apart=cpg_apart(board, rows, joint),
        share=share_summary(found.shares.get("gc"), board),
        shares_apart=[share for share in (share_summary(found.shares.get("windows"), board),) if share is not None],
        verdict=None if deep is None or deep.figures is None else _verdict(deep),
        held_fixed=[
            _held_fixed(board, pairs[name], by_name[name], joint, name == found.chosen("gc"))
            for name in dict.fromkeys(named)
            if name is not None
        ],
        rows=[_row(pair, by_name[name], board, found.choices.get("gc")) for name, pair in pairs.items()],
        strata=strata,
        strata_made={name: card for name, card in board.strata.items() if name in strata},
        heterogeneity=heterogeneity,
        pairs=pairs_summary(board, found, joint),
        warnings=empty.warnings + warnings,
    )
    return as_binary(summary, board, found, joint) if board.target.kind == "binary" else summary


def _figures(board: Board, rows: pd.DataFrame, joint: Joint) -> TargetFigures:
    """The figures of all rows of a board. ``rows`` : the task's rows that are tested, in the board's order."""
    place = board.test_row
    target = board.target
    confounders = _confounders(rows)
    observations = Observations(
        board.value[place],
        board.test_fold,
        joint.codes[place],
        board.replicates[place],
        rows["gc"].to_numpy(np.float64),
        dna=rows["x:dna_count"].to_numpy(np.float64) if "x:dna_count" in rows else None,
        confounders=confounders,
        library=_library(confounders, [*board.minimum, *(name[2:] for name in rows.columns if name.startswith("m:"))]),
        chrom=rows["chrom"].astype(str).to_numpy(),
        control=rows["control"].to_numpy(np.bool_) if "control" in rows else None,
        combined=target.combined,
        raw=target.kind == "binary" or target.combine in ("mean", "centre"),
    )
    learners = Learners(
        {pair.name: pair.test.T for pair in board.results},
        gc_only=[pair.name for pair in board.results if pair.gc_only and pair.records[0].kind == "table"],
        gc_windowed=_gc_windowed(board.results),
        deep=[pair.name for pair in board.results if pair.deep and not pair.gc_only],
        baselines=[pair.name for pair in board.results if pair.role != "sequence"],
        validation={pair.name: _validation(pair) for pair in board.results},
        shuffled={pair.name: pair.shuffled.T for pair in board.results if pair.shuffled is not None},
    )
    return target_figures(observations, learners, draws=joint.draws)


def _validation(pair: PairScores) -> NDArray[np.float64]:
    """Validation score of every fold, the mean over seeds; NaN where the fold has none."""
    seeds = [[np.nan if score is None else score for score in record.spearman["valid"]] for record in pair.records]
    known: NDArray[np.float64] = np.mean(np.array(seeds, float), axis=0)
    return known


def _gc_windowed(pairs: list[PairScores]) -> list[str]:
    """Names of the pairs that see GC in windows along the row: their share is told apart."""
    return [pair.name for pair in pairs if pair.gc_only and pair.records[0].kind != "table"]


def _confounders(rows: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Covariates of the rows; the DNA count as its logarithm."""
    columns = {"length": rows["length"].to_numpy(np.float64)}
    if "x:dna_count" in rows:
        dna = rows["x:dna_count"].to_numpy(np.float64)
        columns[LOG_DNA] = np.log(np.where(dna > 0, dna, np.nan))
    for name in rows.columns:
        if name.startswith(("x:", "m:")) and name != "x:dna_count":
            columns[name[2:]] = rows[name].to_numpy(np.float64)
    # One value in all rows cannot confound anything.
    known = {name: column for name, column in columns.items() if np.isfinite(column).any()}
    return {name: column for name, column in known.items() if np.nanmin(column) < np.nanmax(column)}


def _library(confounders: Iterable[str], minimum: Iterable[str]) -> dict[str, LibraryKind]:
    """The covariates that say how abundant a row was: DNA, barcodes, and every column that rows were filtered by."""
    found: dict[str, LibraryKind] = {}
    for name in confounders:
        if name == LOG_DNA:
            found[name] = "DNA"
        elif "barcode" in name.lower() or name.lower() in ("n_bc", "bc"):
            found[name] = "barcodes"
        elif name in minimum:
            found[name] = "covariate"
    return found


def _recorded(pair: PairScores, part: PartName) -> float | None:
    """Mean over folds and seeds of the scores that the fits recorded for a part."""
    scores = [score for record in pair.records for score in record.spearman[part]]
    return mean_of_scores(scores, [n for record in pair.records for n in record.rows[part]])


# ---- the parts of a summary ------------------------------------------------------------------------------------------
def _row(pair: PairScores, figures: RowFigures, board: Board, gc: Choice | None) -> RowSummary:
    records = pair.records
    return RowSummary(
        name=pair.name,
        featurizer=pair.featurizer,
        model=pair.model,
        role=pair.role,
        gc_only=pair.gc_only,
        deep=pair.deep,
        is_gc_baseline=gc is not None and pair.name == gc.key,
        seeds=[record.seed for record in records],
        score=shown(figures.spearman),
        folds=list(figures.fold_scores),
        undefined_folds=figures.undefined,
        pearson=figures.pearson,
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
        valid=_recorded(pair, "valid"),
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
    return float(np.std([fold_scores(y, seed, board.test_fold).mean for seed in pair.test], ddof=1))


def _verdict(deep: Choice) -> VerdictSummary:
    figures = deep.figures
    assert figures is not None
    return VerdictSummary(
        name=deep.name,
        word=figures.verdict,
        with_gc=shown(figures.with_gc),
        given_gc=shown(figures.given_gc),
        beyond_gc=shown(figures.beyond),
        dinucleotide_shuffled=shown(figures.shuffled),
    )


def _held_fixed(board: Board, pair: PairScores, figures: RowFigures, joint: Joint, control: bool) -> HeldFixedSummary:
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
        is_control=control,
    )


def _total(rows: dict[PartName, list[int]]) -> int:
    return sum(map(sum, rows.values()))


def _failure(task: TaskFiles, failure: Failure) -> FailureSummary:
    note = failure.record
    return FailureSummary(
        featurizer=note.featurizer,
        model=note.model,
        seed=note.seed,
        reason=note.reason + ("; the earlier result is kept" if failure.refit else ""),
        log=(Path(task.folder.name) / failure.folder.relative_to(task.folder) / "failed.log").as_posix(),
    )
