"""What a board shows of a binary target, from the numbers of ``summary.json`` alone."""

from __future__ import annotations

from collections.abc import Callable

from bench.board.binary_schema import BinaryRowSummary, BinarySummary
from bench.board.figure import Estimate
from bench.board.schema import BoardSummary, RowSummary
from bench.report import text
from bench.report.columns import LEFT, row_name, seeds, sequence_only
from bench.report.text import NOTHING, code, count, escape, estimate, number, percent, point, signed_estimate

#: A heading, and what its column shows of a row.
_Column = tuple[str, Callable[[BinaryRowSummary, RowSummary, BoardSummary], str]]

_SCORES: list[_Column] = [
    ("featurizer + model", lambda found, row, board: row_name(row)),
    ("", lambda found, row, board: "" if board.few_loci else escape(row.letter)),
    ("AUROC [95 %]", lambda found, row, board: estimate(found.auroc)),
    ("average precision [95 %]", lambda found, row, board: estimate(found.ap)),
    ("% of attainable", lambda found, row, board: percent(found.of_attainable)),
    ("gain over GC in AUROC", lambda found, row, board: _gain(found, row)),
    ("AUROC, GC-matched", lambda found, row, board: sequence_only(row, estimate(found.gc_matched))),
    ("Brier", lambda found, row, board: number(found.brier)),
    ("calibration error", lambda found, row, board: number(found.calibration_error)),
    ("calibration slope", lambda found, row, board: number(found.slope, 2)),
    ("seeds", lambda found, row, board: seeds(row)),
    ("n", lambda found, row, board: count(row.n)),
]


def score_of(board: BoardSummary, row: RowSummary) -> Estimate | None:
    """What a row scores: AUROC for a binary target, else Spearman."""
    if board.binary is None:
        return row.score
    found = board.binary.rows.get(row.name)
    return None if found is None else found.auroc


def ceiling_of(board: BoardSummary) -> float | None:
    """The noise ceiling: the attainable AUROC of a binary target."""
    return board.ceiling.value if board.binary is None else point(board.binary.attainable.auroc)


def chosen(board: BoardSummary, role: str) -> BinaryRowSummary | None:
    """The figures of what was chosen for a role, each fold's own."""
    if board.binary is None:
        return None
    return board.binary.rows.get(board.binary.chosen.get(role, ""))


def gc_figure(board: BoardSummary) -> str:
    """In place of GC's share: what GC reaches above chance, of what the best model does."""
    gc, best = chosen(board, "gc"), chosen(board, "best")
    if gc is None or gc.auroc is None:
        return f"{NOTHING} (no GC-only model)"
    said = f"AUROC {number(gc.auroc.value)}"
    return said if best is None or best.auroc is None else f"{said} of {number(best.auroc.value)}"


def binary_sentence(board: BoardSummary, *, short: bool = False) -> str:
    """What GC alone tells of the classes, what the best model does, and what is left of that at equal GC."""
    gc, best = chosen(board, "gc"), chosen(board, "best")
    if board.few_loci:
        return f"Fewer than 20 loci ({count(board.loci)}): no sentence, letters or verdict."
    if gc is None or gc.auroc is None:
        return f"GC-only is {NOTHING}: no GC-only model with validation rows has been run."
    if gc.auroc.low is None:
        return "Too few positive or negative rows for an interval of AUROC: no sentence."
    what = "the classes" if short else f"the classes of {escape(board.target)}"
    pieces = [f"GC content tells {what} apart with AUROC {estimate(gc.auroc)}"]
    if best is not None:
        pieces.append(f"the best model with {estimate(best.auroc)}")
        pieces.append(f"at equal GC with {estimate(best.gc_matched)} (0.5 is chance)")
    return f"{', '.join(pieces)}."


def binary_board(board: BoardSummary, rows: list[RowSummary]) -> list[str]:
    """What stands above the table of a binary target, and the table. ``rows`` : in order."""
    found = board.binary
    assert found is not None
    table = [
        [show(mine, row, board) for _, show in _SCORES]
        for row in rows
        if (mine := found.rows.get(row.name)) is not None
    ]
    most = found.attainable
    ceiling = ["*attainable*", "", estimate(most.auroc), estimate(most.ap), NOTHING if most.auroc is None else "100 %"]
    chance = ["*chance*", "", "0.500", number(found.ap_baseline), "0.0 %"]
    blank = [""] * (len(_SCORES) - len(ceiling))
    lines = text.table([name for name, _ in _SCORES], [ceiling + blank, chance + blank, *table], left=LEFT)
    return [
        *lines,
        "AUROC: the chance that a positive row is ranked above a negative one. *% of attainable*: of AUROC above"
        f" chance. *GC-matched*: over {count(found.matched_pairs)} pairs of a positive and a negative of one bin of GC"
        f" ({found.matched_rows} rows or more, next to each other in GC), by what GC's line within the bin does not"
        " tell; 0.5 for whatever follows from GC. Brier: mean squared error of the probability (null model"
        f" {number(_null(found))}); calibration slope: 1 is calibrated, below 1 too sure of itself.",
        "",
    ]


def above(board: BoardSummary) -> list[str]:
    """What the figures of a binary target stand on, one line each."""
    found = board.binary
    assert found is not None
    cut = ", cut from the combined value of the replicates" if found.cut else ""
    part = f"; replicates disagree on {count(found.undecided)} rows, which count in part" if found.undecided else ""
    lines = [f"- Positive: {code(found.positive)}{cut}; prevalence {estimate(found.prevalence)}{part}"]
    if found.one_class:
        lines.append(
            f"- In {found.one_class} of {found.folds} folds all test rows are of one class: AUROC and average precision"
            " are of the other folds alone"
        )
    most = found.attainable
    if most.auroc is None:
        return [*lines, f"- Attainable AUROC: n/a ({escape(most.reason or 'no reason is stored')})"]
    flips = number(most.flips_auroc)
    turned = f" (AUROC {flips} if the truth is two classes and labels are turned over by chance, whatever the sequence)"
    lines.append(
        f"- Attainable AUROC {estimate(most.auroc)}, average precision {estimate(most.ap)}, if labels cut a normal"
        f" activity with normal noise{turned * (most.flips_auroc is not None)}. Labels of two replicates correlate at"
        f" {signed_estimate(most.phi)}; one replicate tells the other's label with AUROC {number(most.between)}"
    )
    return lines


def _gain(found: BinaryRowSummary, row: RowSummary) -> str:
    return "*GC baseline*" if row.is_gc_baseline else signed_estimate(found.gain)


def _null(found: BinarySummary) -> float | None:
    return next((row.brier_null for row in found.rows.values() if row.brier_null is not None), None)
