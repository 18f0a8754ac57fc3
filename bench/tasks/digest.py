"""Hashes of a task's content: with them, results know which rows and values they were made of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.sequences import Sequences
from bench.tasks.pair_spec import Pairs, columns_of
from bench.tasks.task import Content, Target, Task


def content_of(task: Task) -> Content:
    """Hashes of a task's parts: as they were made when it was built, or made now."""
    if task.content is not None:
        return task.content
    return digest(
        task.sequences,
        task.row_id,
        task.chrom,
        task.position,
        task.locus,
        task.targets,
        task.strata,
        task.control,
        task.filters,
        task.pairs,
    )


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
    control: NDArray[np.bool_] | None = None,
    filters: Mapping[str, NDArray[np.float64]] | None = None,
    pairs: Pairs | None = None,
) -> Content:
    """SHA-256 of each part of a task, and over everything that a score can depend on, in table order; 64 hexadecimal
    digits each. Every array is read once."""
    parts = {name: _hash(getattr(sequences, name)) for name in ("buffer", "start", "stop", "reverse")}
    bases = _of_text("\n".join(parts.values()))
    covariates = {name: _hash(values) for name, values in sequences.covariates.items()}
    whole = [bases]
    whole += [f"{name} {_hash(values)}" for name, values in
              (("id", row_id), ("chrom", chrom), ("position", position), ("locus", locus))]  # fmt: skip
    for target in targets.values():
        # How replicates become the value: a change of the rule is a change of the data.
        made = f"{target.combine} {target.minimum_replicates} {COMBINED}"
        whole.append(f"target {target.name} {target.kind} {made} {_hash(target.replicates)}")
        if target.label is not None:
            whole.append(f"label {_hash(target.label)}")
        if target.halves is not None:
            whole.append(f"halves {_hash(target.halves)}")
    whole += [f"covariate {name} {covariates[name]}" for name in sorted(covariates)]
    whole += [f"stratum {name} {_hash(strata[name])}" for name in sorted(strata)]
    whole += [] if control is None else [f"control {_hash(control)}"]
    whole += [f"{name} {_hash(column)}" for name, column in columns_of(pairs).items()]
    whole += [f"filter {name} {_hash(column)}" for name, column in sorted((filters or {}).items())]
    # The same 0 and 1 as numbers are another target: models fit classes by another loss.
    values = {
        name: _of_text(f"binary {_hash(target.value)}") if target.kind == "binary" else _hash(target.value)
        for name, target in targets.items()
    }
    return Content(_of_text("\n".join(whole)), bases, values, covariates)


def _hash(values: NDArray[Any]) -> str:
    sha = hashlib.sha256(f"{values.dtype.kind} {values.shape}\n".encode())
    if values.dtype.kind == "U":
        sha.update("\0".join(values.tolist()).encode())
    else:
        sha.update(np.ascontiguousarray(values).data)
    return sha.hexdigest()


def _of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
