"""The numbers of a board as they go into ``summary.json``: stored predictions in, plain dictionaries out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.board.joint import Joint, joint_draws
from bench.board.load import Board, BoardFiles, PairScores, TaskFiles, load_board
from bench.stats import board as stats
from bench.stats.bootstrap import Estimate
from bench.stats.ceilings import half_ceiling
from bench.stats.held_fixed import HeldFixed, held_fixed
from bench.stats.ranks import spearman_by_fold
from bench.stats.share import choose_on_validation
from bench.stats.strata import by_stratum
from bench.store.predictions import PartName
from bench.store.record import FailureRecord, FoldsRecord, ResultRecord, read_record
from bench.store.store import folds_file

if TYPE_CHECKING:
    import pandas as pd

#: The two forms of explained variance are both shown where they are this far apart (on a share of 1).
FORMS_DIFFER = 0.03
#: Names of the abundance covariate and of GC content itself, as the board shows them.
LOG_DNA = "log DNA count"
GC = "GC content"


def board_figures(task: TaskFiles, files: BoardFiles, rows: pd.DataFrame, joint: Joint | None = None) -> dict[str, Any]:
    """Every number of one board, from ``bench.stats.board`` over the stored test predictions.

    ``joint`` : the draws that the boards on these folds share; made here without it.
    """
    board = load_board(task, files, rows)
    folds = read_record(FoldsRecord, task.folder / folds_file(files.folds_digest)).record
    figures: dict[str, Any] = {
        "target": files.target,
        "split": files.split,
        "folds_digest": files.folds_digest,
        "duplicates": None if folds is None else folds.duplicates.model_dump(),
        "left_out": files.left_out if board is None else board.left_out,
        "failed": [_failure(task, folder, note) for folder, note in files.failed],
    }
    if board is None:
        return figures | _nothing()
    return figures | _computed(board, joint or joint_draws(task, files.folds_digest, rows))


def _nothing() -> dict[str, Any]:
    """A board of which every result failed."""
    empty: dict[str, Any] = {
        "results": [],
        "strata": {},
        "warnings": [],
        "confounders": [],
        "held_fixed": [],
        "share": None,
        "shares_apart": [],
    }
    none = dict.fromkeys(
        ("best", "best_gc", "best_deep", "rho_gc", "rho_gc_dna", "n", "loci", "effective_n", "tied", "verdict")
    )
    sizes: dict[str, list[int]] = {"train": [], "valid": [], "test": []}
    return {**none, **empty, "folds": 0, "sizes": sizes, "ceiling": {"value": None, "reason": "no finished result"}}


def _computed(board: Board, joint: Joint) -> dict[str, Any]:
    y = board.value[board.test_row]
    rows = board.rows.iloc[board.test_row]
    gc = rows["gc"].to_numpy(np.float64)
    locus = joint.codes[board.test_row]
    replicates = board.replicates[board.test_row]
    log_dna = _log_dna(rows)
    names = {result.name: result for result in board.results}
    roles = _roles(board.results)
    valid = {name: _recorded(result, "valid") for name, result in names.items()}
    known = {name: np.nan if score is None else score for name, score in valid.items()}
    found = stats.board(
        y,
        board.test_fold,
        locus,
        replicates,
        gc,
        {name: result.test.T for name, result in names.items()},
        gc_only=roles["gc_only"],
        gc_windowed=roles["gc_windowed"],
        baselines=roles["baselines"],
        validation=known,
        log_dna=log_dna,
        confounders=_confounders(rows, log_dna),
        shuffled={name: result.shuffled.T for name, result in names.items() if result.shuffled is not None},
        draws=joint.draws,
    )
    by_name = {figures.name: figures for figures in found.models}
    deep = [name for name, result in names.items() if result.flag("deep") and not result.flag("gc_only")]
    apart = _share(found, choose_on_validation(roles["gc_windowed"], known))
    best_deep = max(deep, key=lambda name: (_or(valid[name], -2), name), default=None)
    confounders = [
        {"name": c.name, "with_y": _estimate(c.with_y), "with_gc": _estimate(c.with_gc)} for c in found.confounders
    ]
    sizes = board.results[0].records[0].rows
    figures: dict[str, Any] = {
        "folds": found.folds,
        "sizes": {part: list(sizes[part]) for part in ("train", "valid", "test")},
        "n": found.rows,
        "loci": found.loci,
        "effective_n": found.effective_rows,
        "tied": found.tied,
        "draws": found.draws,
        "ceiling": {**_ceiling(found, board.replicates.shape[1]), "halves": _halves(board, rows)},
        "rho_gc": _estimate(found.gc_with_y),
        "rho_gc_dna": next((c["with_gc"] for c in confounders if c["name"] == LOG_DNA), None),
        "confounders": confounders,
        "best": found.best_learner,
        "best_gc": found.gc_learner,
        "best_deep": best_deep,
        "share": _share(found, found.gc_learner),
        "shares_apart": [apart] if apart else [],
        "verdict": None if best_deep is None else _verdict(by_name[best_deep]),
        "held_fixed": [
            _held_fixed(by_name[name], held_fixed(y, names[name].test.T, gc, locus, board.test_fold, draws=joint.draws))
            for name in dict.fromkeys((found.best_learner, best_deep, found.gc_learner))
            if name is not None
        ],
        "results": [_cell(names[name], by_name[name], board, valid[name]) for name in names],
    }
    figures["results"] = [
        {**result, "is_gc_baseline": result["name"] == found.gc_learner} for result in figures["results"]
    ]
    return figures | _strata(board, found, names, joint)


def _roles(results: list[PairScores]) -> dict[str, list[str]]:
    """Which names are GC-only (of the whole row), GC-only in windows, and baselines that cannot be the best learner."""
    gc = [result for result in results if result.flag("gc_only")]
    return {
        "gc_only": [result.name for result in gc if result.records[0].kind == "table"],
        "gc_windowed": [result.name for result in gc if result.records[0].kind != "table"],
        "baselines": [result.name for result in results if result.role != "sequence"],
    }


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


def _recorded(result: PairScores, part: PartName) -> float | None:
    """Mean over folds and seeds of the scores that the runner recorded for a part."""
    scores = [score for record in result.records for score in record.spearman[part] if score is not None]
    return float(np.mean(scores)) if scores else None


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _estimate(figure: Estimate) -> dict[str, float] | None:
    """An estimate as a dictionary; None where there is none."""
    return figure._asdict() if np.isfinite(figure.value) else None


def _cell(result: PairScores, figures: stats.ModelFigures, board: Board, valid: float | None) -> dict[str, Any]:
    records = result.records
    return {
        "name": result.name,
        "featurizer": result.featurizer,
        "model": result.model,
        "role": result.role,
        "gc_only": result.flag("gc_only"),
        "deep": result.flag("deep"),
        "seeds": [record.seed for record in records],
        "score": _estimate(figures.spearman),
        "folds": figures.fold_scores,
        "spread": _spread(result, board),
        "of_ceiling": _estimate(figures.of_ceiling),
        "explained": _estimate(figures.explained),
        "gain": _estimate(figures.gain),
        "gain_p": figures.gain_p,
        "given_gc": _estimate(figures.given_gc),
        "with_gc": _estimate(figures.with_gc),
        "beyond": _estimate(figures.beyond),
        "shuffled": _estimate(figures.shuffled),
        "verdict": figures.verdict,
        "letter": figures.letter,
        "valid": valid,
        "train": _recorded(result, "train"),
        "seconds": _mean_seconds(records),
        "device": ", ".join(sorted({record.device for record in records})),
        "n": len(board.test_row),
    }


def _mean_seconds(records: list[ResultRecord]) -> float | None:
    """Mean over seeds of what a result took; None for predictions made elsewhere."""
    took = [sum(record.seconds.values()) for record in records if record.seconds]
    return float(np.mean(took)) if took else None


def _spread(result: PairScores, board: Board) -> float | None:
    """Standard deviation of the score over seeds; None for one seed."""
    if len(result.test) < 2:
        return None
    y = board.value[board.test_row]
    return float(np.std([spearman_by_fold(y, seed, board.test_fold).mean() for seed in result.test], ddof=1))


def _ceiling(found: stats.Board, replicates: int) -> dict[str, Any]:
    if found.ceiling is None:
        reason = "one replicate" if replicates < 2 else "the replicates do not correlate"
        return {"value": None, "reason": reason, "replicates": replicates}
    gaussian, given = found.ceiling_gaussian, found.ceiling_given_dna
    mean_form = next((m.explained.value for m in found.models if m.name == found.best_learner), None)
    differ = mean_form is not None and found.fev_best is not None and abs(mean_form - found.fev_best) > FORMS_DIFFER
    return {
        **found.ceiling_best._asdict(),
        "reason": None,
        "replicates": replicates,
        "replicates_a_row": found.ceiling.replicates,
        "replicate_rho": found.ceiling.r,
        "reliability": found.ceiling.reliability,
        "reliability_gaussian": None if gaussian is None else gaussian.reliability,
        "given_dna": None if given is None else given.best,
        "product": found.fev_best if differ else None,
        "product_gc": found.fev_gc if differ else None,
        "mean_form": mean_form,
    }


def _halves(board: Board, rows: pd.DataFrame) -> dict[str, float] | None:
    """Correlation between the halves of each row's barcodes, and the ceiling it gives; None without barcodes."""
    names = [f"h:{board.files.target}:{half}" for half in (1, 2)]
    if not all(name in rows for name in names):
        return None
    first, second = (rows[name].to_numpy(np.float64) for name in names)
    found = half_ceiling(first, second, board.test_fold)
    return None if found is None else {"rho": found.r, "value": found.best}


def _share(found: stats.Board, name: str | None) -> dict[str, Any] | None:
    """GC's share by one GC-only learner, as fractions of explainable variance (of all variance without replicates)."""
    part = found.shares.get(name) if name is not None else None
    if part is None:
        return None
    known = np.isfinite(part.of_explainable.value)
    scale = 1 / part.reliability.value if known else 1.0
    parts = {
        key: _scaled(getattr(part, key), scale) for key in ("unique_gc", "unique_best", "common", "shapley", "r2_best")
    }
    return {
        "gc": name,
        "best": found.best_learner,
        "of_explainable": _estimate(part.of_explainable),
        "of_learned": _estimate(part.of_learned),
        "unique_of_explainable": _estimate(part.unique_of_explainable),
        "of_total": _estimate(part.r2_gc),
        **parts,
    }


def _scaled(figure: Estimate, scale: float) -> dict[str, float] | None:
    return _estimate(Estimate(*(scale * value for value in figure)))


def _verdict(figures: stats.ModelFigures) -> dict[str, Any]:
    keys = ("with_gc", "given_gc", "beyond", "shuffled")
    found = {key: _estimate(getattr(figures, key)) for key in keys}
    return {"name": figures.name, "word": figures.verdict, **found}


def _held_fixed(figures: stats.ModelFigures, fixed: HeldFixed) -> dict[str, Any]:
    """One learner's score under every way of holding GC fixed."""
    return {
        "name": figures.name,
        "score": _estimate(figures.spearman),
        "given_gc": _estimate(figures.given_gc),
        "within_bins": _estimate(fixed.within_bins),
        "matched": _estimate(fixed.matched),
        "matched_rows": fixed.matched_rows,
        "shuffled": _estimate(figures.shuffled),
        "permuted": _estimate(fixed.permuted),
    }


def _failure(task: TaskFiles, folder: Path, note: FailureRecord) -> dict[str, Any]:
    return {
        "featurizer": note.featurizer,
        "model": note.model,
        "seed": note.seed,
        "reason": note.reason,
        "log": (Path(task.folder.name) / folder.relative_to(task.folder) / "failed.log").as_posix(),
    }


def _strata(board: Board, found: stats.Board, results: dict[str, PairScores], joint: Joint) -> dict[str, Any]:
    """Every stratum's figures beside the pooled ones, and lines of warning where they tell another story."""
    y = board.value[board.test_row]
    rows = board.rows.iloc[board.test_row]
    locus = joint.codes[board.test_row]
    replicates = board.replicates[board.test_row]
    columns = {GC: rows["gc"].to_numpy(np.float64)}
    # One seed stands for the learner: a stratum's table says where a figure comes from, not who is ahead by a hair.
    columns |= {name: results[name].test[0] for name in (found.gc_learner, found.best_learner) if name}
    tables, warnings = {}, []
    for column in (name for name in rows.columns if name.startswith("s:")):
        labels = rows[column].astype(str).to_numpy()
        strata = by_stratum(y, columns, labels, board.test_fold, locus, joint.draws)
        if len(strata.strata) < 2:
            continue
        lines = []
        for stratum in (strata.pooled, *strata.strata):
            chosen = labels == stratum.name if stratum is not strata.pooled else np.ones(len(y), bool)
            inside = stats.board(
                y[chosen],
                board.test_fold[chosen],
                locus[chosen],
                replicates[chosen],
                columns[GC][chosen],
                {name: column[chosen] for name, column in columns.items()},
                gc_only=[found.gc_learner] if found.gc_learner else [],
                baselines=[GC],
                draws=joint.draws,
            )
            best = next((row for row in inside.models if row.name == found.best_learner), None)
            part = inside.share.of_explainable if inside.share else Estimate(np.nan)
            lines.append(
                {
                    "level": None if stratum is strata.pooled else stratum.name,
                    "n": stratum.rows,
                    "loci": stratum.loci,
                    "ceiling": None if inside.ceiling is None else inside.ceiling.best,
                    "rho_gc": _estimate(stratum.scores[GC]),
                    "gc": _estimate(stratum.scores[found.gc_learner]) if found.gc_learner else None,
                    "best": _estimate(stratum.scores[found.best_learner]) if found.best_learner else None,
                    "given_gc": None if best is None else _estimate(best.given_gc),
                    "share": part.value,
                    "share_interval": [part.low, part.high],
                }
            )
        tables[column[2:]] = lines
        warnings += [f"{column[2:]}: {line}" for line in strata.warnings]
        warnings += [f"{column[2:]}: too few rows in {', '.join(strata.left_out)}."] * bool(strata.left_out)
    return {"strata": tables, "warnings": warnings}
