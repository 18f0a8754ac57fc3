"""How alike two motifs are, and groups of those that one site may be taken for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.motifs.motif import Motif

#: From here on two motifs are taken for one: cosine of the centred frequencies at the best alignment.
ALIKE = 0.6
#: The same where it is divided by the smaller motif alone, so that one that holds the other counts.
HOLDS = 0.8


def centred(motif: Motif) -> NDArray[np.float64]:
    """Frequencies less .25, float64 (length, 4)."""
    odds: NDArray[np.float64] = np.exp2(motif.log_odds()) * 0.25 - 0.25
    return odds


def alignments(a: NDArray[np.float64], b: NDArray[np.float64]) -> Iterator[float]:
    """Sum of products of aligned positions at every shift of ``b`` against ``a``, both (length, 4), on both strands."""
    for other in (b, b[::-1, ::-1]):
        products = a @ other.T
        for shift in range(-len(other) + 1, len(a)):
            yield float(np.trace(products, -shift))


def similarity(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float]:
    """(cosine, held) of two centred motifs: the best alignment's sum of products over √(|a|²·|b|²), and over the
    smaller of the two. 1 for equal motifs."""
    best = max(alignments(a, b))
    mine, theirs = float((a * a).sum()), float((b * b).sum())
    return best / max(np.sqrt(mine * theirs), 1e-12), best / max(min(mine, theirs), 1e-12)


def alike(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether a model that reads one of two centred motifs is likely to answer to the other."""
    cosine, held = similarity(a, b)
    return cosine >= ALIKE or held >= HOLDS


def consensus(motif: Motif, least: float = 0.5) -> NDArray[np.uint8]:
    """The likeliest base of every position, uint8 codes; 4 where a position has less than ``least`` bits, and such
    positions at both ends left out."""
    p = centred(motif) + 0.25
    bits = 2 + (p * np.log2(p)).sum(axis=1)
    word = np.where(bits >= least, p.argmax(axis=1), 4).astype(np.uint8)
    kept = np.flatnonzero(word < 4)
    return word[kept[0] : kept[-1] + 1] if len(kept) else p.argmax(axis=1).astype(np.uint8)


def grouped(motifs: Sequence[Motif], most: int) -> list[list[int]]:
    """Places of motifs by group, the first of each its head: in their order, each joins the first head it is alike.

    ``most`` : heads that are looked for; what is alike none of them is left out.
    """
    heads: list[list[int]] = []
    shapes: list[NDArray[np.float64]] = []
    for place, motif in enumerate(motifs):
        shape = centred(motif)
        mine = next((group for group, head in zip(heads, shapes, strict=True) if alike(head, shape)), None)
        if mine is not None:
            mine.append(place)
        elif len(heads) < most:
            heads.append([place])
            shapes.append(shape)
    return heads
