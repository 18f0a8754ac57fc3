"""What `bench run` prints before and after the work, and its exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from bench.errors import BenchError, one_line
from bench.run.execute import kept
from bench.run.interrupts import STATUS as INTERRUPTED
from bench.run.plan import Plan
from bench.run.progress import in_words
from bench.run.queue import Outcome
from bench.store.stages import Stages
from bench.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.board.schema import BoardSummary
    from bench.report.build import MadeBoard
    from bench.store.feature_record import FeaturesRecord

#: Skipped pairs of a selection that are worth a line each.
FEW_PAIRS = 6
#: Boards that are told of in a line each while a run goes on.
FEW_BOARDS = 5


def print_plan(plan: Plan, console: Console, *, list_fits: bool = False, list_skipped: bool = False) -> None:
    """The plan: tasks, what is skipped, fits to do and results to reuse, the estimate. ``list_fits`` and
    ``list_skipped`` give each a line of its own."""
    for planned in plan.tasks:
        task, folds = planned.task, planned.folds
        console.print(
            f"[bold]{escape(planned.name)}[/]: {len(task):,} rows, {_many(len(task.targets), 'target')}, split"
            f" {escape(folds.name)}, folds {folds.digest}",
            highlight=False,
            soft_wrap=True,
        )
        for what, count in task.counts.items():
            console.print(f"  {escape(what)}: {count:,}", highlight=False)
        if folds.apart:
            said = "  rows left out of a fold, as others of their locus (copies, overlaps) lie in another part"
            console.print(f"{said}: {folds.apart:,}{' at most' * (len(folds) > 1)}", highlight=False, soft_wrap=True)
        for note in task.notes:
            console.print(f"  {escape(note)}", highlight=False, soft_wrap=True)
        for note in plan.notes.get(planned.name, ()):
            console.print(f"  {escape(note)}", highlight=False, soft_wrap=True)
        for finding in plan.failed_checks(planned):
            about = f"{finding.check}, {finding.about}" if finding.about else finding.check
            said = f"  [red]FAIL[/] {escape(about)}: {escape(finding.reason)}"
            console.print(said, highlight=False, soft_wrap=True)
    if list_fits:
        for job in plan.jobs:
            console.print(f"  fit  {escape(str(job))}  about {in_words(job.seconds)}", highlight=False, soft_wrap=True)
    _print_skipped(plan, console, list_skipped)
    for what, reason in plan.unavailable.items():
        console.print(f"[yellow]skipped[/] {escape(what)}: {escape(reason)}", highlight=False, soft_wrap=True)
    for what, reason in plan.broken.items():
        said = reason if what in reason else f"{what}: {reason}"
        console.print(f"[red]cannot be used[/] {escape(said)}", highlight=False, soft_wrap=True)
    console.print(
        f"{_many(plan.fits, 'fit')} to do (about {in_words(plan.seconds)}), {len(plan.reused)} reused"
        if plan.fits
        else f"nothing to fit, {_many(len(plan.reused), 'result')} reused",
        highlight=False,
    )
    if plan.absent:
        are = "is" if len(plan.absent) == 1 else "are"
        console.print(
            f"[yellow]{_many(len(plan.absent), 'result')} {are} absent and --cache only fits nothing[/]",
            highlight=False,
        )


def _print_skipped(plan: Plan, console: Console, every: bool) -> None:
    """Tasks that are skipped, each with its fix; of featurizers and pairs the number, or each where there are few that
    were asked for by name."""
    tasks = [skip for skip in plan.skipped if skip.featurizer is None]
    others = [skip for skip in plan.skipped if skip.featurizer is not None]
    listed = every or (not plan.selection.open and len(others) <= FEW_PAIRS)
    for skip in tasks + (others if listed else []):
        console.print(f"[yellow]skipped[/] {escape(skip.what)}: {escape(skip.reason)}", highlight=False, soft_wrap=True)
    if listed or not others:
        return
    alone = sum(skip.model is None for skip in others)
    counts = [_many(n, what) for n, what in ((len(others) - alone, "pair"), (alone, "featurizer")) if n]
    console.print(
        f"[dim]skipped {' and '.join(counts)} that make no sense here (--verbose lists them with reasons)[/]",
        highlight=False,
        soft_wrap=True,
    )


def _many(count: int, what: str) -> str:
    """``1 fit``, ``51 fits``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def print_board_so_far(store: Store, console: Console, stages: Stages) -> None:
    """Write the board of what is fitted so far, without pictures, and say in a line what it shows."""
    from bench.report import make_board

    try:
        made = make_board(store.root, pictures=False)
    except BenchError:
        return  # the board at the end of the run says what is wrong
    shown = [(summary.task.name, board) for summary in made.summaries for board in summary.boards if board.rows]
    for name, board in shown[:FEW_BOARDS]:
        console.print(f"[bold]so far[/] {escape(name)} · {escape(board_in_words(board))}", highlight=False)
    if len(shown) > FEW_BOARDS:
        console.print(f"[dim]so far: {len(shown) - FEW_BOARDS} more boards in {escape(str(made.path))}[/]")


def board_in_words(board: BoardSummary) -> str:
    """``expression: noise ceiling 0.812, GC-only 0.412, best 0.434 (gc + ridge)``."""
    said = [] if board.ceiling.value is None else [f"noise ceiling {board.ceiling.value:.3f}"]
    for label, name in (("GC-only", board.best_gc), ("best", board.best)):
        row = board.row(name)
        if row is not None and row.score is not None:
            said.append(f"{label} {row.score.value:.3f} ({row.name})")
    return f"{board.target}: {', '.join(said) or 'no score yet'}"


def print_stages(stages: Stages, console: Console) -> None:
    """A table of what the stages of a call took."""
    from rich.table import Table

    whole = sum(stages.seconds.values())
    table = Table("stage", title="Where the time went")
    table.add_column("seconds", justify="right")
    table.add_column("share", justify="right")
    for stage, seconds in stages.seconds.items():
        table.add_row(stage, f"{seconds:,.1f}", f"{100 * seconds / max(whole, 1e-9):.0f} %")
    table.add_row("all", f"{whole:,.1f}", "")
    console.print(table)
    console.print("Seconds are summed over fits that ran side by side.", highlight=False)


def print_features(records: Iterable[FeaturesRecord], console: Console) -> None:
    """How much of GC content features made elsewhere know, a line each."""
    for record in records:
        known = record.gc_r2
        said = "n/a: all rows have one GC content" if known is None else f"R² {known.value:.3f}"
        if known is not None and known.low is not None and known.high is not None:
            said += f" [{known.low:.3f}, {known.high:.3f}]"
        console.print(f"{escape(record.name)}: GC content known {said}", highlight=False)


def print_outcome(plan: Plan, outcome: Outcome, store: Store, console: Console, stages: Stages | None = None) -> int:
    """Write the board, print its summary, what failed, and where the board is. A call that was interrupted ends without
    a board, which can take minutes. Returns the exit status."""
    from bench.report import make_board

    if outcome.interrupted:
        console.print(kept(outcome), highlight=False, soft_wrap=True)
        return INTERRUPTED
    made = make_board(store.root, stages=stages)
    print_board(made, console, last=False)
    for result, reason, log in outcome.failed:
        console.print(
            f"[red]failed[/] {escape(str(result))}: {escape(reason)} (log: {escape(str(log))})",
            highlight=False,
            soft_wrap=True,
        )
    counts = f"{_many(len(outcome.fitted), 'fit')} done, {len(plan.reused) + len(outcome.shared)} reused"
    if outcome.failed:
        counts += f", {len(outcome.failed)} failed"
    console.print(f"{counts}, in {in_words(outcome.seconds)}", highlight=False)
    if outcome.beyond_look:
        said = f"--quick left out {_many(outcome.beyond_look, 'fit')} that it had no time for; without it they are done"
        console.print(f"[yellow]{said}[/]", highlight=False)
    _print_place(made, console)
    # What nobody asked for may be broken; where everything was asked for, something that was asked for is.
    broken = plan.broken and not plan.selection.all_named
    return 1 if outcome.failed or made.troubles or broken else 0


def print_board(made: MadeBoard, console: Console, *, last: bool = True) -> None:
    """The board in a few lines, what could not be read, and with ``last`` where the board is."""
    from bench.report.terminal import terminal_summary

    console.print(terminal_summary(made.summaries))
    for line in made.troubles:
        console.print(f"[yellow]not read[/] {escape(one_line(line))}", highlight=False, soft_wrap=True)
    if last:
        _print_place(made, console)


def _print_place(made: MadeBoard, console: Console) -> None:
    if made.unwritten:
        said = f"[yellow]not written[/] {escape(one_line(made.unwritten.partition('. ')[0]))}: the numbers above are"
        said += f" up to date; for a board, `bench merge {escape(str(made.path.parent))} --out FOLDER`"
        console.print(said, highlight=False, soft_wrap=True)
    else:
        console.print(f"leaderboard: {made.path}", highlight=False, soft_wrap=True)


def read_pair(text: str) -> tuple[str, str]:
    """``"kmers[k=5] + xgboost"`` -> ``("kmers[k=5]", "xgboost")``."""
    featurizer, plus, model = (piece.strip() for piece in text.rpartition("+"))
    if not (featurizer and plus and model):
        raise BenchError(f"--pair {text!r}: write 'featurizer + model', such as 'gc + gc-curve'.")
    return featurizer, model
