"""Tables over boards, from the numbers of ``summary.json`` alone: the summary, and the matrix of a task's targets."""

from __future__ import annotations

from bench.board.schema import BoardSummary, RowSummary, Summary
from bench.report import text
from bench.report.binary import ceiling_of, score_of
from bench.report.columns import LEFT, pair_name
from bench.report.sentences import caveats, share_figure, share_sentence
from bench.report.text import code, count, escape, estimate, joined, number, point, signed

#: How the split of a quick look begins (``bench.tasks.load.concrete_folds``).
QUICK = "quick-"
#: A task with more targets than this gets a matrix, and its tables are folded away.
FOLD_TARGETS = 4
#: Columns of the matrix, besides noise ceiling and share.
MATRIX_PAIRS = 6

SUMMARY_HEADER = [
    "task", "target", "n", "noise ceiling", "GC-only", "best", "best deep", "GC's share of explainable [95 %]",
    "in words",
]  # fmt: skip


def has_many_targets(boards: list[BoardSummary]) -> bool:
    """Whether a task's tables are folded away under a matrix."""
    return len({board.target for board in boards}) > FOLD_TARGETS


def anchor(summary: Summary) -> str:
    """Anchor of a task's section."""
    return f"task-{text.slug(summary.task.name)}"


def summary_rows(summary: Summary, only: bool) -> list[list[str]]:
    """Lines of the summary table: one per board. ``only`` : the summary was published without predictions."""
    name = f"[{escape(summary.task.name)}](#{anchor(summary)})" + (" *(summary only)*" if only else "")
    targets = [board.target for board in summary.boards]
    rows = []
    for board in summary.boards:
        target = escape(board.target)
        if targets.count(board.target) > 1:
            target += f" · {code(board.split)}"
        if board.split.startswith(QUICK):
            target += " *(quick look)*"
        rows.append(
            [
                name,
                target,
                count(board.n),
                number(ceiling_of(board)),
                *(_short(board, which) for which in (board.best_gc, board.best, board.best_deep)),
                share_figure(board),
                share_sentence(board, short=True),
            ]
        )
    return rows


def _short(board: BoardSummary, name: str | None) -> str:
    row = board.row(name)
    mark = "AUROC " if board.binary is not None else ""
    return text.NOTHING if row is None else f"{mark}{estimate(score_of(board, row))} {pair_name(row)}"


def notes(summary: Summary) -> list[str]:
    """The task's note as a line for below the summary table: what the data are not belongs next to the numbers."""
    note = summary.task.note
    return [f"- **{escape(summary.task.name)}**: {escape(note)}"] if note else []


def matrix(boards: list[BoardSummary]) -> list[str]:
    """Lines of the table target × best learner of each featurizer."""
    main = _main_pairs(boards)
    header = ["target", "noise ceiling", *(pair_name(row) for row in main), "ρ(GC, y)", "GC's share of explainable"]
    several = len({board.split for board in boards}) > 1
    rows = []
    for board in boards:
        scores = [board.row(pair.name) for pair in main]
        rows.append(
            [
                escape(board.target) + (f" · {code(board.split)}" if several else ""),
                number(ceiling_of(board)),
                *(_lettered(row, board) for row in scores),
                signed(point(board.rho_gc)),
                "; ".join([share_figure(board), *caveats(board)]),
            ]
        )
    above = "The best learner of each featurizer, over all targets; every table is below, folded."
    return [above, "", *text.table(header, rows, left=LEFT)]


def _main_pairs(boards: list[BoardSummary]) -> list[RowSummary]:
    """A row of the best pair of each featurizer, by the mean over the targets it was run on; the best first."""
    scores: dict[str, list[float]] = {}
    shown: dict[str, RowSummary] = {}
    for board in boards:
        for row in board.rows:
            if row.role == "sequence" and row.score is not None:
                scores.setdefault(row.name, []).append(row.score.value)
                shown[row.name] = row
    means = {name: sum(values) / len(values) for name, values in scores.items()}
    chosen: dict[str, str] = {}
    for name in sorted(scores, key=lambda name: (-len(scores[name]), -means[name], name)):
        chosen.setdefault(shown[name].featurizer, name)
    best = sorted(list(chosen.values())[:MATRIX_PAIRS], key=lambda name: -means[name])
    return [shown[name] for name in best]


def _lettered(row: RowSummary | None, board: BoardSummary) -> str:
    """A score with its letters; none on few loci."""
    if row is None:
        return text.NOTHING
    letter = f"*{escape(row.letter)}*" if row.letter and not board.few_loci else ""
    return joined(number(point(score_of(board, row))), letter)
