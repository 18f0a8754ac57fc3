"""Small planted tasks for every room's tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def write_small_task(folder: Path, *, rows: int = 240, seed: int = 0, name: str = "small", targets: int = 1) -> Path:
    """A table whose target is GC content plus noise, two replicates a target, six chromosomes, and its task file."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    gc = rng.uniform(0.2, 0.8, rows)
    sequences = ["".join(rng.choice(list("ACGT"), 40, p=[(1 - g) / 2, g / 2, g / 2, (1 - g) / 2])) for g in gc]
    share = np.array([(s.count("G") + s.count("C")) / len(s) for s in sequences])
    columns = {
        "id": [f"r{i}" for i in range(rows)],
        "sequence": sequences,
        "chrom": [f"chr{1 + i % 6}" for i in range(rows)],
        "start": [1000 * i for i in range(rows)],
        "end": [1000 * i + 40 for i in range(rows)],
        "dna": rng.integers(10, 500, rows).astype(str).tolist(),
    }
    for target in range(targets):
        signal = share + rng.normal(0, 0.05, rows)
        for replicate in (1, 2):
            values = signal + rng.normal(0, 0.03, rows)
            columns[f"y{target}_{replicate}"] = [f"{value:.5f}" for value in values]
    lines = ["\t".join(columns)] + ["\t".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    said = "".join(f"[targets.t{target}]\nreplicates = ['y{target}_1', 'y{target}_2']\n" for target in range(targets))
    path = folder / f"{name}.toml"
    path.write_text(
        f"name = '{name}'\ntable = '{name}.tsv'\nsplit = 'chromosome-kfold[k=3]'\n"
        f"[columns.covariates]\ndna_count = 'dna'\n{said}"
    )
    return path
