"""What GC's share stands on, a line each above a board's table and only where the summary holds the figure."""

from __future__ import annotations

from statistics import fmean

from bench.board.figure import Estimate
from bench.board.schema import BoardSummary, RhoSummary, ShareSummary
from bench.report.sentences import caveats
from bench.report.text import (
    code,
    count,
    escape,
    number,
    percent,
    percent_estimate,
    percent_interval,
    signed,
    signed_estimate,
)

#: How far the arithmetic of printed figures may lie from the share that it is said to give: several seeds, rounding.
ARITHMETIC = 0.005
#: How the replicates were made alike before they were averaged.
COMBINED = {
    "rank": "as ranks",
    "scale": "brought to one mean and one width on the rows that they share",
    "centre": "brought to one mean on the rows that they share",
    "mean": "as they are",
}


def share_facts(board: BoardSummary) -> list[str]:
    """Lines of a list, without an empty one at the end."""
    share = board.share
    found = _combined(board)
    if share is not None:
        found += [*_correlations(share), *_forms(share), *_given_dna(share, board.few_loci), *_chromosomes(share)]
        if share.smallest_detectable is not None:
            smallest = percent(share.smallest_detectable)
            found.append(f"Smallest share whose interval would exclude 0 with a chance of 80 %: {smallest}")
    if board.cpg_apart is not None:
        found.append(f"Share of CpG apart from GC's: {percent_estimate(board.cpg_apart)}")
    for name, levels in board.heterogeneity.items():
        if levels.within is not None:
            found.append(f"GC's share with {escape(name)} held fixed: {percent_estimate(levels.within)}")
        if levels.q is not None and levels.p is not None and levels.i2 is not None:
            found.append(
                f"ρ(GC, y) over the levels of {escape(name)}: Cochran's Q {number(levels.q, 1)}, p {_p(levels.p)}; I²"
                f" {percent(levels.i2)} of their spread is no noise"
            )
    found += _choices(board) + _undefined(board)
    if board.locus_capped and board.largest_locus is not None:
        found.append(f"The largest locus holds {percent(board.largest_locus)} of the rows; it counts for less")
    found += [f"{note[0].upper()}{note[1:]}" for note in caveats(board)]
    return [f"- {line}" for line in found]


def _p(value: float) -> str:
    """``0.031``, or ``< 0.001``."""
    return number(value) if value >= 0.0005 else "< 0.001"


def _combined(board: BoardSummary) -> list[str]:
    """What became of the replicates."""
    made = board.combined
    if made is None:
        return []
    weights = ", ".join(f"{escape(name)} {number(weight, 2)}" for name, weight in made.weights.items())
    least = f", rows with {made.minimum} or more" if made.minimum > 1 else ""
    if len(made.weights) == 1:
        return [f"One replicate, taken as it is{least}", *map(escape, made.findings)]
    line = f"Replicates averaged {COMBINED[made.how]} (`combine = {made.how}`){least}"
    return [f"{line}{'; weights: ' * bool(weights)}{weights}", *map(escape, made.findings)]


# ---- the arithmetic of the product form ------------------------------------------------------------------------------
def product_of(share: ShareSummary) -> float | None:
    """The product form from the printed correlations; None unless it gives the printed share."""
    with_gc = {rho.first: rho.rho for rho in share.rho_gc if rho.rho is not None}
    between = [(rho.first, rho.second, rho.rho) for rho in share.rho_replicates if rho.rho is not None]
    pairs = [with_gc[a] * with_gc[b] for a, b, _ in between if a in with_gc and b in with_gc]
    if share.of_explainable is None or not pairs or len(pairs) < len(share.rho_replicates):
        return None
    below = fmean(rho for _, _, rho in between)
    top = fmean(pairs)
    sign = -1 if fmean(with_gc.values()) < 0 < top else 1
    if below <= 0 or abs(sign * top / below - share.of_explainable.value) > ARITHMETIC:
        return None
    return sign * top / below


def _correlations(share: ShareSummary) -> list[str]:
    """ρ of GC with each replicate and between them, and how the share follows."""
    rhos = [rho for rho in share.rho_gc if rho.rho is not None]
    pairs = [rho for rho in share.rho_replicates if rho.rho is not None and rho.second is not None]
    found = []
    held = " given DNA counts" if share.given_dna_shown else ""
    if rhos:
        each = ", ".join(f"{escape(rho.first)} {signed(rho.rho)}" for rho in rhos)
        found.append(f"ρ of {code(share.gc)} with each replicate{held}, ranks pooled within folds: {each}")
    if pairs:
        each = ", ".join(f"{escape(rho.first)} and {escape(str(rho.second))} {signed(rho.rho)}" for rho in pairs)
        found.append(f"ρ between replicates{held}: {each}")
    if product_of(share) is not None and share.of_explainable is not None:
        found.append(f"GC's share: {_arithmetic(rhos, pairs)} = {percent(share.of_explainable.value)}")
    return found


def _arithmetic(rhos: list[RhoSummary], pairs: list[RhoSummary]) -> str:
    """``.380 × .410 / .800``, or the means over pairs of three and more replicates."""
    with_gc = {rho.first: rho.rho or 0.0 for rho in rhos}
    minus = "−" if fmean(with_gc.values()) < 0 < fmean(with_gc[p.first] * with_gc[str(p.second)] for p in pairs) else ""
    if len(pairs) == 1:
        first, second = (number(with_gc[name]) for name in (pairs[0].first, str(pairs[0].second)))
        return f"{minus}({first}) × ({second}) / {number(pairs[0].rho)}"
    top = fmean(with_gc[pair.first] * with_gc[str(pair.second)] for pair in pairs)
    below = fmean(pair.rho or 0.0 for pair in pairs)
    return f"{minus}({number(top)}), the mean over pairs of replicates of GC's two ρ, multiplied, / {number(below)}"


def _forms(share: ShareSummary) -> list[str]:
    """Where another form of the share tells another story."""
    found: list[str] = []
    if share.of_explainable is None:
        return found
    if share.mean_form is not None:
        found.append(f"The mean form, (score / noise ceiling)², differs: {percent(share.mean_form)}")
    if share.tails and share.normal_scores is not None:
        found.append(f"The tails carry the share: on normal scores it is {percent(share.normal_scores)}")
    return found


def _given_dna(share: ShareSummary, few_loci: bool) -> list[str]:
    """The share with DNA held fixed, and how strong a bias would have to be."""
    found = []
    rows = "" if share.given_dna_rows is None else f", on {count(share.given_dna_rows)} rows with DNA counts enough"
    if share.given_dna is not None:
        found.append(f"GC's share with DNA counts held fixed{rows}: {percent_estimate(share.given_dna)}")
    elif share.given_dna_reason is not None:
        found.append(f"GC's share with DNA counts held fixed: n/a ({escape(share.given_dna_reason)})")
    if share.given_dna_shown and share.raw is not None:
        found.append(f"GC's share without DNA held fixed: {percent_estimate(share.raw)}")
    above = share.of_explainable is not None and share.of_explainable.value > 0
    if share.robustness is not None and above and not few_loci:
        found.append(
            "Robustness value: a bias of the library would have to take"
            f" {percent(share.robustness)} of the residual variance both of GC and of activity to bring the share to 0"
        )
    return found


def _chromosomes(share: ShareSummary) -> list[str]:
    ends = share.by_chromosome
    shown = "" if ends is None else percent_interval(ends.low, ends.high)
    return [f"Interval of GC's share by chromosome: {shown} %"] if shown and share.of_explainable is not None else []


# ---- choices and folds -----------------------------------------------------------------------------------------------
def _choices(board: BoardSummary) -> list[str]:
    """What was chosen where folds chose different rows, and how the choices score together."""
    words = {"gc": "GC-only", "best": "best", "deep": "best deep", "windows": "GC in windows"}
    found = []
    for role, choice in board.choices.items():
        if choice.same:
            continue
        names = ", ".join(code(name) for name in dict.fromkeys(choice.by_fold))
        score = f"; together {_score(choice.score)}" if choice.score is not None else ""
        found.append(f"Folds chose different rows as *{words[role]}*: {names}{score}")
    return found


def _score(score: Estimate) -> str:
    return f"Spearman {signed_estimate(score)}"


def _undefined(board: BoardSummary) -> list[str]:
    """Rows that predict one value in some folds; the null model does in all, by design."""
    return [
        f"{code(row.name)}: {row.undefined_folds} of {max(len(row.folds), row.undefined_folds)} folds predict one value"
        f": {'counted 0' if row.score is not None else 'no score'}"
        for row in board.rows
        if row.undefined_folds and row.role != "null"
    ]
