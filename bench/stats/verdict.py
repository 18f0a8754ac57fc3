"""What of a model's score is GC? One verdict per model, by a written rule.

A model that follows what runs along GC (CpG, length, DNA abundance) is not told from one that follows GC.
"""

from __future__ import annotations

from bench.stats.intervals import FEW_LOCI, Estimate

#: A model whose fraction beyond GC is surely below the first is GC-only, surely above the second beyond GC. 60 boards
#: each of 300 loci × 3, called GC-only: a model of a line of GC 60, of a hump 60, of a step 60 (58 without a GC-only
#: row on the board), of a wiggly effect 60. Of a motif: "beyond GC" 59, "mixed" 1; both: "mixed" 60; noise: "none" 58.
GC_ONLY_BELOW, BEYOND_GC_ABOVE = 0.25, 0.75

#: The verdicts, with what each says.
VERDICTS = {
    "none": "its score does not differ from 0",
    "GC-only": "GC accounts for more than three quarters of what it explains",
    "composition": "more than GC, but at least three quarters of it survive a dinucleotide shuffle",
    "mixed": "both GC and something beyond it",
    "beyond GC": "more than three quarters of what it explains is beyond GC",
    "unclear": "too few loci to tell",
    "n/a": "fewer than 20 loci: no verdict",
}


def verdict_of(score: Estimate, given: Estimate, beyond: Estimate, loci: int, shuffled: Estimate | None = None) -> str:
    """The verdict from four figures. The first line that holds decides.

    1. ``n/a`` below FEW_LOCI loci.
    2. ``none`` where the interval of the score covers 0 (or the score is negative).
    3. ``GC-only`` where ``beyond`` is surely below GC_ONLY_BELOW (upper end), or nothing is left given GC.
    4. ``unclear`` where the semi-partial Spearman given GC is not surely above 0: too wide to call it GC-only.
    5. ``composition`` where a shuffled score is known and it keeps at least BEYOND_GC_ABOVE of score² (lower end).
    6. ``beyond GC`` where ``beyond`` is surely above BEYOND_GC_ABOVE (lower end).
    7. ``mixed``.
    """
    if loci < FEW_LOCI:
        return "n/a"
    if not score.low > 0:
        return "none"
    if beyond.high < GC_ONLY_BELOW or given == (0.0, 0.0, 0.0):
        return "GC-only"
    if not given.low > 0:
        return "unclear"
    if shuffled is not None and shuffled.low > 0 and shuffled.low**2 >= BEYOND_GC_ABOVE * score.value**2:
        return "composition"
    return "beyond GC" if beyond.low > BEYOND_GC_ABOVE else "mixed"
