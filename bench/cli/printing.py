"""What `bench run` prints before and after the work, and its exit status."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from bench.run.execute import Outcome
from bench.run.plan import Plan
from bench.run.progress import in_words
from bench.store.store import Store

#: Skipped pairs of a selection that are worth a line each.
FEW_PAIRS = 6


def print_plan(plan: Plan, console: Console, *, verbose: bool) -> None:
    """The plan: tasks, results to fit and to reuse, the estimate, and what is skipped. ``verbose`` lists every job and
    every skipped pair."""
    for planned in plan.tasks:
        task, folds = planned.task, planned.folds
        targets = f"{len(task.targets)} target{'s' if len(task.targets) > 1 else ''}"
        console.print(
            f"[bold]{escape(task.card.name)}[/]: {len(task):,} rows, {targets}, split {escape(folds.name)}, folds"
            f" {folds.digest}",
            highlight=False,
            soft_wrap=True,
        )
        for what, count in task.counts.items():
            console.print(f"  {escape(what)}: {count:,}", highlight=False)
    if verbose:
        for job in plan.jobs:
            console.print(f"  fit  {escape(str(job))}  about {in_words(job.seconds)}", highlight=False, soft_wrap=True)
    whole = [skip for skip in plan.skipped if skip.featurizer is None]
    pairs = [skip for skip in plan.skipped if skip.featurizer is not None]
    said = verbose or (not plan.open and len(pairs) <= FEW_PAIRS)
    for skip in whole + (pairs if said else []):
        console.print(f"[yellow]skipped[/] {escape(skip.what)}: {escape(skip.reason)}", highlight=False, soft_wrap=True)
    if pairs and not said:
        console.print(f"[dim]{len(pairs)} pairs make no sense and are skipped (--dry-run lists them with reasons)[/]")
    console.print(
        f"{plan.results_to_fit} results to fit (about {in_words(plan.seconds)}), {len(plan.reused)} reused"
        if plan.results_to_fit
        else f"nothing to fit, {len(plan.reused)} results reused",
        highlight=False,
    )
    if plan.absent:
        console.print(
            f"[yellow]{len(plan.absent)} results are absent and --cache only fits nothing[/]", highlight=False
        )


def print_outcome(plan: Plan, outcome: Outcome, store: Store, console: Console) -> int:
    """Write the board, print its summary, what failed, and where the board is. Returns the exit status."""
    from bench.report import write_board
    from bench.report.terminal import terminal_summary

    troubles: list[str] = []
    board = write_board(store.root, troubles)
    console.print(terminal_summary(store.root))
    for line in troubles:
        console.print(f"[yellow]not read[/] {escape(line)}", highlight=False, soft_wrap=True)
    for result, reason, log in outcome.failed:
        console.print(
            f"[red]failed[/] {escape(str(result))}: {escape(reason)} (log: {escape(str(log))})",
            highlight=False,
            soft_wrap=True,
        )
    counts = f"{len(outcome.fitted)} results fitted, {len(plan.reused) + len(outcome.shared)} reused"
    if outcome.failed:
        counts += f", {len(outcome.failed)} failed"
    console.print(f"{counts} in {in_words(outcome.seconds)}", highlight=False)
    if outcome.interrupted:
        console.print("[yellow]stopped early: everything finished is kept, call it again to go on[/]")
    console.print(f"leaderboard: {board}", highlight=False, soft_wrap=True)
    if outcome.interrupted:
        return 130
    return 1 if outcome.failed or troubles else 0
