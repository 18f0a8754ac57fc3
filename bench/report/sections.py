"""The section of one task, from the numbers of ``summary.json`` alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.board.schema import (
    BoardSummary,
    CeilingSummary,
    RowSummary,
    SkippedSummary,
    StratumSummary,
    Summary,
    TaskSummary,
)
from bench.explain.record import Explanation
from bench.report import binary, text
from bench.report.columns import FITS, LEFT, SCORES
from bench.report.explained import explained_section
from bench.report.features import features_section
from bench.report.pairs import pairs_section
from bench.report.plots import Links
from bench.report.sentences import misfit, parts_sentence, share_sentence, verdict_sentence
from bench.report.share_facts import share_facts
from bench.report.summary_table import anchor, has_many_targets, matrix
from bench.report.text import (
    code,
    count,
    escape,
    estimate,
    joined,
    number,
    percent,
    percent_estimate,
    point,
    signed_estimate,
)

#: How the strand of the elements is told.
STRANDS = {"stranded": "part of the measurement", "free": "free: orientation does not matter"}


@dataclass(frozen=True)
class Explained:
    """What models of a board learned, and links to pictures of it by the result's key."""

    answers: list[Explanation]
    pictures: dict[str, str]


def task_section(
    summary: Summary, *, only: bool, pictures: Links, explained: Mapping[int, Explained] | None = None
) -> list[str]:
    """Lines of a task's section. ``only`` : the summary was published without predictions. ``explained`` : by board."""
    task, boards = summary.task, summary.boards
    title = f": {escape(task.title)}" if task.title else ""
    lines = [f'<a id="{anchor(summary)}"></a>', "", f"## {escape(task.name)}{title}", ""]
    if task.note:
        lines += [f"> **Note.** {escape(task.note)}", ""]
    if only:
        said = "these numbers were published without the predictions they were computed from, and are those of the"
        lines += [f"*Summary only: {said} version that published them.*", ""]
    lines += _facts(task)
    if not boards:
        lines += ["No finished result yet.", ""]
    many = has_many_targets(boards)
    if many:
        lines += matrix(boards)
    if pictures.scores is not None:
        lines += [f"![Scores of {escape(task.name)} under the noise ceiling]({pictures.scores})", ""]
    for i, board in enumerate(boards):
        body = _board(board, pictures.fits.get(i))
        if explained and i in explained:
            body += explained_section(explained[i].answers, explained[i].pictures)
        if many:
            head = f"<details><summary><b>{escape(board.target)}</b>: {_one_line(board)}</summary>"
            lines += [head, "", *body, "</details>", ""]
        else:
            lines += [f"### {escape(board.target)}, split {code(board.split)}", "", *body]
    return lines + features_section(summary) + _skipped(summary.skipped)


def _facts(task: TaskSummary) -> list[str]:
    facts = [
        ("Assay", escape(task.assay)),
        ("Organism, genome", ", ".join(escape(word) for word in (task.organism, task.genome) if word)),
        ("Strand", STRANDS.get(task.orientation, "")),
        ("Rows", count(task.rows)),
        ("Counted while reading", "; ".join(f"{escape(k)}: {count(v)}" for k, v in task.counts.items())),
        ("How the table was read", "; ".join(map(escape, task.notes))),
        ("Citation", escape(task.citation)),
        ("Licence", escape(task.licence)),
        ("Data digest", code(task.digest[:16])),
    ]
    return [*(f"- {name}: {value}" for name, value in facts if value), ""]


def _one_line(board: BoardSummary) -> str:
    pieces = [f"noise ceiling {number(binary.ceiling_of(board))}"]
    for name, label in ((board.best_gc, "GC-only"), (board.best, "best"), (board.best_deep, "best deep")):
        row = board.row(name)
        pieces += [] if row is None else [f"{label} {number(point(binary.score_of(board, row)))}"]
    return ", ".join(pieces)


def _board(board: BoardSummary, picture: str | None) -> list[str]:
    lines = []
    if board.rows:
        lines += [f"**{share_sentence(board)}**", ""]
        parts = [parts_sentence(board.share)] if board.share and not board.few_loci else []
        parts += [parts_sentence(share, windows=True) for share in board.shares_apart if not board.few_loci]
        lines += [f"{sentence}\n" for sentence in (*parts, verdict_sentence(board)) if sentence]
        lines += [*_above(board), *share_facts(board), ""]
        if board.binary is not None:
            lines += binary.binary_board(board, _ordered(board))
        else:
            lines += text.table([name for name, _ in SCORES], _rows(board), left=LEFT)
        lines += _held_fixed(board)
        lines += _fits(board)
        what = "Spearman" if board.binary is None else "figure"
        lines += [
            f"Split {code(board.split)}. Scores are means over folds of the within-fold {what}, never pooled over "
            f"folds; intervals from {count(board.draws)} draws of loci.",
            "",
        ]
    lines += [f"- **Warning**: {escape(warning)}" for warning in board.warnings] + [""] * bool(board.warnings)
    lines += _strata(board)
    lines += pairs_section(board)
    if picture is not None:
        lines += [f"![Predicted against measured, {escape(board.target)}]({picture})", ""]
    lines += _failed(board)
    if board.left_out:
        lines += ["Left out:", "", *(f"- {escape(reason)}" for reason in board.left_out), ""]
    return lines


# ---- above the table -------------------------------------------------------------------------------------------------
def _above(board: BoardSummary) -> list[str]:
    """What the table's figures stand on: noise ceiling, confounders, rows and folds."""
    ceiling = _ceiling(board) if board.binary is None else binary.above(board)
    lines = [*ceiling, f"- ρ(GC, y) {signed_estimate(board.rho_gc)}"]
    for row in board.confounders:
        name = escape(row.name)
        lines.append(f"- ρ({name}, y) {signed_estimate(row.with_y)}, ρ(GC, {name}) {signed_estimate(row.with_gc)}")
    lines.append(
        f"- Test rows {count(board.n)} in {count(board.loci)} loci, effective n {count(board.effective_n)}; "
        f"tied values {percent(board.tied)}"
    )
    sizes = board.sizes
    lines.append(
        f"- {board.folds} fold{'s' * (board.folds != 1)} {code(board.folds_digest)}; rows per fold: train "
        f"{_range(sizes.train)}, valid {_range(sizes.valid)}, test {_range(sizes.test)}"
    )
    if board.duplicates is not None:
        lines.append(
            f"- Test rows whose bases stand among training or validation rows: {count(board.duplicates.exact)} exact,"
            f" {count(board.duplicates.reverse_complement)} reverse-complemented{_near(board)}"
        )
    return lines


def _near(board: BoardSummary) -> str:
    """``; near duplicates (...): 1,843 of 5,261, 35 %``."""
    near = board.near
    if near is None:
        return ""
    sample = f" (a random sample of {count(near.test_rows)})" if near.compared < near.test_rows else ""
    aside = f", {count(near.set_aside)} 12-mers that nearly all rows hold set aside" if near.set_aside else ""
    return (
        "; near duplicates (half of their 12-mers or more in one such row, copies among them):"
        f" {count(near.near)} of {count(near.compared)}{sample}, {percent(near.near / max(near.compared, 1))}{aside}"
    )


def _ceiling(board: BoardSummary) -> list[str]:
    """The noise ceiling in its forms, or why there is none."""
    ceiling = board.ceiling
    lines = [] if ceiling.estimate is None else _known_ceiling(ceiling)
    if ceiling.estimate is None:
        none = board.share is None or board.share.of_explainable is None
        too = ", so shares of the explainable variance are n/a too" * none
        lines.append(f"- Noise ceiling: n/a ({escape(ceiling.reason or 'no reason is stored')}){too}")
    if ceiling.halves is not None:
        lines.append(
            f"- Noise ceiling by barcode halves, which share no barcode's DNA noise: {number(ceiling.halves.value)}"
            f" (Spearman between the halves {number(ceiling.halves.rho)})"
        )
    return lines


def _known_ceiling(ceiling: CeilingSummary) -> list[str]:
    lines = [
        f"- Noise ceiling {estimate(ceiling.estimate)}: {ceiling.replicates} replicates, mean Spearman between two of"
        f" them {number(ceiling.replicate_rho)}, reliability of the target that they make {number(ceiling.reliability)}"
    ]
    if ceiling.given_dna is not None:
        lines.append(
            f"- Noise ceiling given log DNA (the replicates share one DNA library): {number(ceiling.given_dna)}"
        )
    return lines


def _range(sizes: list[int]) -> str:
    if not sizes:
        return text.NOTHING
    low, high = min(sizes), max(sizes)
    return count(low) if low == high else f"{count(low)}–{count(high)}"


# ---- tables ----------------------------------------------------------------------------------------------------------
def _rows(board: BoardSummary) -> list[list[str]]:
    """Noise ceiling, confounders, null model; then the sequence rows, best first."""
    figure = board.ceiling.estimate
    ceiling = ["*noise ceiling (replicates)*", "", estimate(figure), text.NOTHING if figure is None else "100 %"]
    ceiling += [""] * (len(SCORES) - len(ceiling))
    return [ceiling, *([show(row, board) for _, show in SCORES] for row in _ordered(board))]


def _ordered(board: BoardSummary) -> list[RowSummary]:
    """Confounders, null model; then the sequence rows, best first."""
    scores = {row.name: point(binary.score_of(board, row)) for row in board.rows}
    rows = sorted(board.rows, key=lambda row: (2.0 if (score := scores[row.name]) is None else -score, row.name))
    return [row for role in ("confounder", "null", "sequence") for row in rows if row.role == role]


def _held_fixed(board: BoardSummary) -> list[str]:
    """Best learner, best deep one and GC itself under every way of holding GC fixed."""
    if not board.held_fixed:
        return []
    header = [
        "featurizer + model",
        "unadjusted",
        "given GC",
        "within GC bins",
        "AUROC, GC-matched",
        "dinucleotide-shuffled",
        "GC-only null",
    ]
    shown = []
    for row in board.held_fixed:
        adjusted = (row.given_gc, row.within_gc_bins, row.gc_matched_auroc)
        left = (row.dinucleotide_shuffled, row.gc_only_null)
        shown.append([code(row.name), *(estimate(figure) for figure in (row.unadjusted, *adjusted, *left))])
    control = next((row for row in board.held_fixed if row.is_control), None)
    lead = (
        "**GC held fixed.** The same predictions, first where GC cannot help: *AUROC, GC-matched* tells high from low "
        f"activity on {count(board.held_fixed[0].gc_matched_rows)} rows of the same GC (0.5 is chance), the others are "
        "Spearman correlations (0 is chance). Then where nothing but composition, or nothing but GC, can."
    )
    lead += "" if control is None or board.few_loci else f" {misfit(control)}"
    return [lead, "", *text.table(header, shown, left=LEFT)]


def _fits(board: BoardSummary) -> list[str]:
    """How the rows were fitted, folded away: Spearman on each part, time, device."""
    body = [[show(row, board) for _, show in FITS] for row in _ordered(board)]
    head = "<details><summary>How each was fitted: Spearman on each part, seeds, time, device, folds</summary>"
    return [head, "", *text.table([name for name, _ in FITS], body, left=LEFT), "</details>", ""]


def _strata(board: BoardSummary) -> list[str]:
    lines: list[str] = []
    for name, levels in board.strata.items():
        header = [escape(name), "n", "noise ceiling", "ρ(GC, y)", "GC-only", "best", "best given GC"]
        made = board.strata_made.get(name)
        of_gc = made is not None and made.of == "gc"
        header.append("GC's share of explainable [95 %]" + ", of its range there" * of_gc)
        body = [
            [
                _level(level),
                count(level.n),
                number(level.ceiling),
                signed_estimate(level.rho_gc),
                estimate(level.gc),
                estimate(level.best),
                estimate(level.given_gc),
                joined(percent_estimate(level.share), f"({escape(level.reason)})" * _unknown(level)),
            ]
            for level in levels
        ]
        lines += text.table(header, body)
        if made is not None:
            sha = f" SHA-256 {code(made.sha256[:16])}." if made.sha256 else ""
            lines += [f"{escape(name)}: {escape(made.how)}.{sha}{RESTRICTED * of_gc}", ""]
    return lines


def _level(level: StratumSummary) -> str:
    """A level with its range, where it is a quantile."""
    if level.level is None:
        return "*pooled*"
    return escape(f"{level.level} ({level.range})" if level.range else level.level)


def _unknown(level: StratumSummary) -> bool:
    """Whether the share is n/a and the summary says why."""
    return level.share is None and level.reason is not None


#: What must be known of figures within bins of GC.
RESTRICTED = (
    " Within a level GC has little range left, so that its correlation and its share are small there by construction:"
    " they tell in which part of the range GC matters, and are neither parts of the pooled share nor comparable with"
    " it. No heterogeneity is tested."
)


# ---- what is not scored ----------------------------------------------------------------------------------------------
def _failed(board: BoardSummary) -> list[str]:
    if not board.failed:
        return []
    lines = ["Failed fits (not scored; `bench run` tries them again):", ""]
    lines += [
        f"- {code(fit.featurizer)} + {code(fit.model)}, seed {fit.seed}: **failed**: {escape(fit.reason)} "
        f"(log: {code(fit.log)})"
        for fit in board.failed
    ]
    return [*lines, ""]


def _skipped(skipped: list[SkippedSummary]) -> list[str]:
    if not skipped:
        return []
    unusable = [skip for skip in skipped if skip.featurizer is None and skip.model is None]
    lines = []
    if unusable:
        lines = ["Plugins that could not be used in the last full run, so that nothing of them is here:", ""]
        lines += [f"- {escape(skip.reason)}" for skip in unusable] + [""]
    if len(skipped) == len(unusable):
        return lines
    lines += ["<details><summary>Pairs that make no sense here were skipped</summary>", ""]
    for skip in (each for each in skipped if each not in unusable):
        # A featurizer that does not apply is named alone.
        names = " + ".join(code(name) for name in (skip.featurizer, skip.model) if name is not None)
        lines.append(f"- {names}: {escape(skip.reason)}")
    return [*lines, "", "</details>", ""]
