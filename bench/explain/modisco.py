"""Motifs that TF-MoDISco puts together from the maps, by its own package (the extra ``modisco``), in a
process of its own.

Source: Shrikumar et al., arXiv:1811.00416 (2018); modisco-lite.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.explain.exports import contributions
from bench.explain.matching import information, matches, shares, trimmed
from bench.explain.mutated import Maps
from bench.explain.record import Modisco, Pattern
from bench.explain.subject import NotAsked, Subject
from bench.motifs.motif import Motif

PACKAGE = "modisco-lite"
#: Windows that a metacluster is made of at most.
SEQLETS = 2000
#: What is run in the other process; after it the words of a call.
_PROGRAM = "from modiscolite.cli import cli; cli()"


def installed() -> str | None:
    """The version of the package; None where it is not installed."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return None


def ask_modisco(subject: Subject, maps: Maps | None) -> tuple[Modisco, list[Motif]]:
    """Motifs of the maps, with the motif of the database that each is.

    Raises
    ------
    NotAsked : without the package or maps, and where the package fails; it says why.
    """
    found = installed()
    if found is None:
        raise NotAsked(f"{PACKAGE} is not installed: pip install 'bench-gc[modisco]'")
    if maps is None:
        raise NotAsked("there are no maps of changed bases")
    hot, score = contributions(maps)
    with TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "sequences.npz", hot.transpose(0, 2, 1))
        np.savez(folder / "scores.npz", score.transpose(0, 2, 1))
        width = str(hot.shape[1])
        call = ("motifs", "-s", "sequences.npz", "-a", "scores.npz", "-n", str(SEQLETS), "-w", width, "-o", "found.h5")
        _run(call, folder)
        motifs = _read(folder / "found.h5")
    motifs.sort(key=lambda motif: -motif.counts[0].sum())
    read = [trimmed(motif.counts) for motif in motifs]
    patterns = [
        Pattern(
            name=motif.id,
            sites=round(float(motif.counts[0].sum())),
            raises=motif.id.startswith("pos"),
            shares=np.round(shares(counts), 3).tolist(),
            bits=float(information(shares(counts)).sum()),
            match=match,
        )
        for motif, counts, match in zip(motifs, read, matches(subject, read, question=11), strict=True)
    ]
    named = [
        Motif(each.name, each.match.motif.split()[-1] if each.match else "", counts)
        for each, counts in zip(patterns, read, strict=True)
    ]
    return Modisco(rows=len(maps.codes), version=found, patterns=patterns), named


def _run(words: Sequence[str], folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, *words], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"]
        raise NotAsked(f"{PACKAGE} failed: {said[-1]}")


def _read(path: Path) -> list[Motif]:
    """Patterns of the package's HDF5 file, with as many counts as it has sites; none where it found none."""
    import h5py

    motifs = []
    with h5py.File(path) as file:
        for sign in ("pos_patterns", "neg_patterns"):
            for name, pattern in file.get(sign, {}).items():
                sites = float(np.ravel(pattern["seqlets"]["n_seqlets"])[0])
                motifs.append(Motif(f"{sign[:3]}.{name}", "", np.asarray(pattern["sequence"], np.float64) * sites))
    return motifs
