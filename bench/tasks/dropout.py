"""What a task leaves out, against GC: rows without any measurement, and columns that rows were filtered by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.stats.intervals import Estimate
from bench.stats.library import FLOOR, robust_correlation

if TYPE_CHECKING:
    from bench.tasks.columns import Columns
    from bench.tasks.spec import TaskSpec
    from bench.tasks.task import Target


def unmeasured(table: Columns, spec: TaskSpec, targets: Mapping[str, Target]) -> dict[str, Estimate]:
    """Target → Spearman of GC with being measured in no replicate, over all rows of the table, whose intervals are by
    locus where a column names it, else by row; only targets that lack more than FLOOR of the rows.

    No board sees such rows, and a drop-out that follows GC makes a share of its own. Nothing where the bases are cut
    from a genome: a row that is left out is not cut.
    """
    gone: dict[str, NDArray[np.bool_]] = {}
    for name, target in targets.items():
        out = np.all(np.isnan(target.replicates), axis=1)
        if FLOOR * len(out) < int(out.sum()) < len(out):
            gone[name] = out
    column = spec.columns.said("sequence")
    if not gone or not column or column not in table:
        return {}
    gc = _gc(table, column)
    locus = spec.columns.said("locus")
    blocks = table.text(locus) if locus else np.arange(len(gc))
    known = np.isfinite(gc)
    return {name: robust_correlation(out[known].astype(float), gc[known], blocks[known]) for name, out in gone.items()}


def _gc(table: Columns, column: str) -> NDArray[np.float64]:
    """GC fraction of a column of bases, (n,); NaN where there are none. Letters are not judged here."""
    bases = table.strings(column).fillna("").astype(str).str.upper()
    strong, weak = (bases.str.count(f"[{letters}]").to_numpy(np.float64) for letters in ("GC", "ATU"))
    with np.errstate(invalid="ignore"):
        return np.asarray(strong / (strong + weak), np.float64)


def filters(table: Columns, spec: TaskSpec) -> dict[str, NDArray[np.float64]]:
    """Columns of a minimum or a maximum, of the task or of a target, that are no covariate: name → (n,)."""
    names = dict.fromkeys(_limits(spec))
    return {
        name: table.numbers(name)
        for name in names
        if name not in spec.columns.covariates and name in table and name not in spec.outcome
    }


def _limits(spec: TaskSpec) -> Iterator[str]:
    yield from (*spec.minimum, *spec.maximum)
    for target in spec.targets.values():
        yield from (*target.minimum, *target.maximum)
