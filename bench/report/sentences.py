"""The board's plain sentences, from the numbers of ``summary.json`` alone.

A sentence says only what a field holds. Under which condition each is printed:

- "GC content explains [at least] x % of the explainable variance": ``of_explainable`` is there and not below 0 ("at
  least": where ``at_least`` says so and it is above 0); else "n/a" with ``reason``.
- "is negative": the interval ends below 0; "cannot be told from 0": it does not, and the figure is below 0.
- "of what GC and the best model explain together": ``of_learned`` is there with its interval.
- "unique to GC": ``unique_gc`` is there. "between": the ends of ``attributable`` are there, in order, and print apart.
- "GC in windows": its share is there. "not at chance": an interval of the control's row does not hold chance.
- "may be the library's": a test of ``library`` matters and has its correlation.
- "the noise ceiling may be 5 % off": a ceiling from fewer than 100 test rows.
- none of these, and no verdict: ``few_loci``.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.board.figure import Estimate
from bench.board.schema import BoardSummary, HeldFixedSummary, LibraryTest, ShareSummary
from bench.report.binary import binary_sentence, gc_figure
from bench.report.text import (
    NOTHING,
    code,
    count,
    escape,
    estimate,
    joined,
    percent,
    percent_bare,
    percent_estimate,
    percent_interval,
    signed_estimate,
)

#: Words for a name from data: escaped in markdown, as it is in the terminal.
Show = Callable[[object], str]

#: An interval by chromosome of more than this says nothing: two or three chromosomes of unlike stories.
NO_INTERVAL = 2.0
#: Below so many test rows the ceiling itself is uncertain: simulated noise-free activity came to 94.7 % of it on 60
#: rows of 20 loci, and to 97.6 % on 150 of 50 (400 boards each).
FEW_ROWS = 100
#: Why a share is a lower bound.
BOUNDS = {"ties": "most measured values are tied", "two modes": "the measured values have two modes"}
#: What GC goes with, by the kind of a test of the library.
LIBRARY = {
    "DNA": "DNA counts",
    "barcodes": "the number of barcodes",
    "covariate": "the column",
    "floor": "rows at the floor of a replicate",
    "missing": "missing replicates",
    "unmeasured": "rows without any measurement",
    "controls": "the activity of designed controls",
}


# ---- the headline ----------------------------------------------------------------------------------------------------
def share_figure(board: BoardSummary, show: Show = escape) -> str:
    """The headline in a cell: ``at least 19 % [15, 23]``, or ``n/a (reason)``; of a binary target GC's AUROC."""
    if board.binary is not None:
        return gc_figure(board)
    share = board.share
    if share is None:
        return f"{NOTHING} ({_missing(board)})"
    if share.of_explainable is None:
        return f"{NOTHING} ({no_ceiling(board, show)})"
    return headline(share)


def headline(share: ShareSummary) -> str:
    """The share of the explainable variance with its interval, and the one by chromosome where that is to be shown."""
    return ", ".join(filter(None, (by_locus(share), by_chromosome(share))))


def by_locus(share: ShareSummary) -> str:
    """The share of the explainable variance with its interval by locus."""
    if share.of_explainable is None:
        return NOTHING
    return joined("at least" * is_bound(share), percent_estimate(share.of_explainable))


def by_chromosome(share: ShareSummary) -> str:
    """The interval by chromosome where it is to be shown, else nothing."""
    ends = share.by_chromosome if share.shown_by_chromosome else None
    if share.of_explainable is None or ends is None or ends.low is None or ends.high is None:
        return ""
    if ends.high - ends.low > NO_INTERVAL:
        return "by chromosome too wide to say"
    return f"by chromosome {percent_interval(ends.low, ends.high)}"


def is_bound(share: ShareSummary) -> bool:
    """Whether the share is a lower bound: what is lost to noise of unlike size brings it nearer to 0, so that one below
    0 bounds nothing from below."""
    return bool(share.at_least) and share.of_explainable is not None and share.of_explainable.value > 0


def gc_in_windows(board: BoardSummary) -> list[str]:
    """The share of GC in windows along the sequence, which is GC too; nothing where it was not run, on few loci, or
    without a share of the explainable variance."""
    if board.few_loci:
        return []
    known = [share for share in board.shares_apart if share.of_explainable is not None]
    return [f"GC in windows along the sequence: {headline(share)}" for share in known]


def caveats(board: BoardSummary, show: Show = escape) -> list[str]:
    """What must stand beside the share wherever it is shown, a few words each."""
    found = []
    if board.few_loci:
        found.append(few_loci(board))
    if board.share is None or board.share.of_explainable is None:
        return found
    if board.n is not None and board.n < FEW_ROWS and board.ceiling.value is not None and not board.few_loci:
        found.append(f"{board.n} test rows: the noise ceiling may be 5 % off")
    if board.chromosome is not None:
        found.append(f"{percent(board.chromosome.fraction)} of the test rows are on {show(board.chromosome.name)}")
    if (warning := library_warning(board, show)) and not board.few_loci:
        found.append(warning)
    for name, found_in in board.heterogeneity.items():
        if found_in.opposite:
            levels = " and ".join(map(show, found_in.opposite))
            found.append(f"GC has opposite signs in levels of {show(name)}: {levels}")
        elif found_in.pooled_only:
            found.append(f"a pooled figure that no level of {show(name)} shows")
    return found


def few_loci(board: BoardSummary) -> str:
    """That there are too few loci to say anything in words."""
    number = "" if board.loci is None else f" ({count(board.loci)})"
    return f"fewer than 20 loci{number}: no sentence, letters or verdict"


def library_warning(board: BoardSummary, show: Show = escape) -> str:
    """``may be the library's: ρ(GC, DNA counts) +0.320 [0.280, 0.360]``; empty where no test of the library matters."""
    found = [_library(test, show) for test in board.library if test.matters and test.with_gc is not None]
    share = board.share
    if found and share is not None and share.given_dna is not None and not share.given_dna_shown:
        found.append(f"with DNA counts held fixed the share is {percent_estimate(share.given_dna)}")
    return f"may be the library's: {'; '.join(found)}" if found else ""


def _library(test: LibraryTest, show: Show) -> str:
    what = joined(LIBRARY[test.kind], show(test.name) if test.kind == "covariate" else "")
    return f"ρ(GC, {what}) {signed_estimate(test.with_gc)}"


def _missing(board: BoardSummary) -> str:
    """The true reason why a board has no share at all."""
    seen = [row for row in board.rows if row.role == "sequence"]
    for chosen, rows, what in (
        (board.best_gc, [row for row in seen if row.gc_only], "a GC-only model"),
        (board.best, [row for row in seen if not row.gc_only], "a model that sees more than GC content"),
    ):
        if chosen is None:
            if not rows:
                return f"{what} has not been run"
            alike = all(row.score is None for row in rows)
            return f"{what} " + ("predicts one value for all rows" if alike else "has no validation rows to go by")
    return "not computed"


def no_ceiling(board: BoardSummary, show: Show = escape) -> str:
    """Why a board has no share of the explainable variance."""
    reason = None if board.share is None else board.share.reason
    return show(reason or board.ceiling.reason or "no reason is stored")


# ---- in words --------------------------------------------------------------------------------------------------------
def share_sentence(board: BoardSummary, *, short: bool = False) -> str:
    """What GC content explains, with every denominator named; without a noise ceiling only the one that exists."""
    if board.binary is not None:
        return binary_sentence(board, short=short)
    share = board.share
    notes = "".join(f" ({note})" for note in caveats(board))
    if share is None:
        return f"GC's share is {NOTHING}: {_missing(board)}." + (f" {few_loci(board)}.".capitalize() * board.few_loci)
    if board.few_loci:
        return f"{'; '.join([few_loci(board).capitalize(), *caveats(board)[1:]])}."
    pieces = [_explains(share, board, short)]
    if _known(share.of_learned):
        of = "of what GC and the best model explain together, GC explains"
        pieces.append(f"{of} {percent_estimate(share.of_learned)}")
    if not short:
        pieces += _unique(share)
    elif share.unique_gc is not None and share.unique_gc.value >= 0:
        pieces.append(f"{percent_estimate(share.unique_gc)} of {_denominator(share)} is unique to GC")
    if short:
        pieces += gc_in_windows(board)
    return f"{'; '.join(pieces)}{notes}."


def _explains(share: ShareSummary, board: BoardSummary, short: bool) -> str:
    what = "the explainable variance" if short else f"the explainable variance of {escape(board.target)}"
    if share.of_explainable is None:
        return f"GC's share of {what} is {NOTHING} ({no_ceiling(board)})"
    held = ", with DNA counts held fixed" if share.given_dna_shown else ""
    bound = " and ".join(BOUNDS[why] for why in share.at_least)
    because = f" (a lower bound: {bound})" if is_bound(share) else f" ({bound})" if bound else ""
    if share.of_explainable.value < 0:
        below = share.of_explainable.high is not None and share.of_explainable.high < 0
        is_ = "is negative" if below else "cannot be told from 0"
        return f"GC's share of {what} {is_}, {headline(share)}{held}{because}"
    return f"GC content explains {headline(share)} of {what}{held}{because}"


def _known(figure: Estimate | None) -> bool:
    """Whether a fraction has an interval: one of next to nothing has none, and says nothing."""
    return figure is not None and figure.low is not None and figure.high is not None


def _denominator(share: ShareSummary) -> str:
    """What the parts are fractions of: with DNA held fixed there are none."""
    if share.of_explainable is None:
        return "all variance"
    return "the explainable variance" + ", DNA not held fixed," * share.given_dna_shown


def _unique(share: ShareSummary) -> list[str]:
    """What is unique to GC, and the range of what GC may own, whose ends are no confidence interval."""
    of, found = _denominator(share), []
    if share.unique_gc is not None:
        found.append(f"{percent_estimate(share.unique_gc)} of {of} is unique to GC")
    owned = share.attributable
    if owned is not None and owned.low <= owned.high:
        low, high = percent_bare(owned.low), percent_bare(owned.high)
        if low == high:
            return found
        sentence = f"what GC may own of {of} is between {low} and {high} %"
        a, b = owned.interval_low, owned.interval_high
        if a is not None and b is not None and a <= b:
            sentence += f" (a truth in this range is held with 95 % by {percent_bare(a)} to {percent_bare(b)} %)"
        found.append(sentence)
    return found


def parts_sentence(share: ShareSummary, *, windows: bool = False) -> str:
    """The parts that a share is made of, those that there are; empty where there are none."""
    if windows:
        known = share.of_explainable is not None
        total = headline(share) if known else percent_estimate(share.of_total)
        if total == NOTHING:
            return ""
        of = "the explainable variance" if known else "all variance"
        return (
            f"Share of GC in windows along the sequence ({code(share.gc)}, chosen on validation rows): {total} of {of}."
        )
    parts = [
        f"{label} {percent_estimate(figure)}"
        for label, figure in (
            ("unique to GC U_G", share.unique_gc),
            ("unique to the best model U_D", share.unique_best),
            ("common C", share.common),
            ("Shapley share of GC", share.shapley),
        )
        if figure is not None
    ]
    if not parts or share.best is None:
        return ""
    of = _denominator(share).strip(",")
    return (
        f"Parts of {of}: {', '.join(parts)}. G is {code(share.gc)}, D is {code(share.best)}, both chosen on validation"
        " rows."
    )


def misfit(control: HeldFixedSummary) -> str:
    """By how much the columns in which GC cannot help are off for the GC-only row, in which they must be at chance."""
    columns = (
        ("given GC", control.given_gc, 0.0),
        ("within GC bins", control.within_gc_bins, 0.0),
        ("AUROC, GC-matched", control.gc_matched_auroc, 0.5),
    )
    off = [
        f"{name} {estimate(figure)}"
        for name, figure, chance in columns
        if figure is not None and not _holds(figure, chance)
    ]
    row = f"The row of {code(control.name)} is the control"
    if not any(figure is not None for _, figure, _ in columns):
        return f"{row}, and has no figure there."
    if not off:
        return f"{row}: it is at chance in every column where GC cannot help."
    are = "these columns leave" if len(off) > 1 else "this column leaves"
    return (
        f"{row}, and is not at chance: {'; '.join(off)}: {are} some of GC in place, so read the other rows against it."
    )


def _holds(figure: Estimate, value: float) -> bool:
    """Whether a figure is the value, or its interval holds it."""
    if figure.low is None or figure.high is None:
        return figure.value == value
    return figure.low <= value <= figure.high


def verdict_sentence(board: BoardSummary) -> str:
    """Whether the best deep model counts GC, with the figures that the verdict follows from; none on few loci."""
    verdict = board.verdict
    if verdict is None or board.few_loci:
        return ""
    pieces = [
        joined(label, show(figure))
        for label, figure, show in (
            ("ρ(prediction, GC)", verdict.with_gc, signed_estimate),
            ("partial Spearman given GC (spline)", verdict.given_gc, estimate),
            ("fraction of what it explains that GC does not", verdict.beyond_gc, estimate),
            ("Spearman on dinucleotide-shuffled sequences", verdict.dinucleotide_shuffled, estimate),
        )
        if figure is not None
    ]
    figures = f" ({'; '.join(pieces)})" if pieces else ""
    return f"Is the deep model only counting GC? {code(verdict.name)}: **{escape(verdict.word)}**{figures}."
