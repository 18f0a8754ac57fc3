"""The hash of a task's content: with it, results know which rows and values they were made of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.sequences import Sequences
from bench.tasks.task import Target

#: Raised when ``bench.stats.replicates`` makes other values of the same replicates.
COMBINED = 1


def digest(
    sequences: Sequences,
    row_id: NDArray[Any],
    chrom: NDArray[Any],
    position: NDArray[np.int64],
    locus: NDArray[np.int64],
    targets: Mapping[str, Target],
    strata: Mapping[str, NDArray[Any]],
) -> str:
    """SHA-256 over everything that a score can depend on, in table order; 64 hexadecimal digits."""
    sha = hashlib.sha256()

    def add(name: str, values: NDArray[Any]) -> None:
        sha.update(f"\n{name} {values.dtype.kind} {values.shape}\n".encode())
        if values.dtype.kind == "U":
            sha.update("\0".join(values.tolist()).encode())
        else:
            sha.update(np.ascontiguousarray(values).data)

    for name in ("buffer", "start", "stop", "reverse"):
        add(name, getattr(sequences, name))
    add("id", row_id)
    add("chrom", chrom)
    add("position", position)
    add("locus", locus)
    for target in targets.values():
        # How replicates become the value, and not the value itself, whose last digits differ between machines.
        made = f"{target.combine} {target.minimum_replicates} {COMBINED}"
        add(f"target {target.name} {target.kind} {made}", target.replicates)
        if target.halves is not None:
            add("halves", target.halves)
    for kind, columns in (("covariate", sequences.covariates), ("stratum", strata)):
        for name in sorted(columns):
            add(f"{kind} {name}", columns[name])
    return sha.hexdigest()
