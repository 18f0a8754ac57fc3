"""`bench init`: look at a lab's files and write the task file that reads them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from bench.tasks.draft import Draft

#: Findings of the audit that are shown.
FINDINGS = 8


def init(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="A table of measurements and, where it holds no sequences, a FASTA."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="The task file to write. By default called as the table, in this folder.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take every guess without asking.")] = False,
) -> None:
    """Look at a table (and a FASTA) and write a commented task file; what is not sure is asked about.

    Nothing is overwritten. The first findings of `bench audit` are printed, and the command to go on with.
    """
    from rich.console import Console

    from bench.errors import BenchError
    from bench.files.atomic import atomic
    from bench.tasks.guess import draft_of

    console = Console(soft_wrap=True, highlight=False, markup=False)
    draft = draft_of(files, out.parent if out else Path())
    target = out or Path(f"{draft.value('name')}.toml")
    if target.suffix != ".toml":
        raise BenchError(f"--out {target}: a task file is called something.toml.")
    if target.exists():
        raise BenchError(f"{target} exists and is not overwritten. Give another name with --out, or delete it.")
    _ask(draft, console, yes)
    with atomic(target) as temporary:
        temporary.write_text(draft.toml(), encoding="utf-8")
    console.print(f"wrote {target}")
    for line in draft.toml().splitlines():
        console.print(f"  {line}".rstrip())
    _audit(target, console)


def _ask(draft: Draft, console: Console, yes: bool) -> None:
    """Ask about every guess that is not sure; without a terminal they must be accepted with --yes."""
    from bench.errors import BenchError
    from bench.tasks.draft import shown

    unsure = draft.unsure
    if yes:
        for guess in unsure:
            console.print(f"not sure: {guess.question}? Took {guess.name} = {shown(guess.value)}")
        return
    if unsure and not on_terminal():
        listed = " ".join(f"({i}) {guess.question}? Guessed {shown(guess.value)}." for i, guess in enumerate(unsure, 1))
        raise BenchError(
            f"bench init is not sure of {len(unsure)} thing{'s' if len(unsure) > 1 else ''}: {listed} Run it on a"
            " terminal to answer, or take the guesses with --yes."
        )
    for guess in unsure:
        answered = False
        while not answered:
            answer = typer.prompt(f"{guess.question}?", default=shown(guess.value))
            try:
                draft.answered(guess, str(answer))
                answered = True
            except BenchError as error:
                console.print(str(error))


def _audit(target: Path, console: Console) -> None:
    """Load what was written and print the first findings of its audit, the worst first; and what to do next."""
    from bench.audit.audit import audit
    from bench.errors import BenchError
    from bench.tasks.folds import make_folds
    from bench.tasks.task_file import load_task_file

    try:
        task = load_task_file(target)
        folds = make_folds(task)
    except BenchError as error:
        console.print(f"It cannot be read yet: {error}")
        console.print(f"Correct {target} (docs/task-file.md explains every key), then: bench audit {target}")
        raise typer.Exit(1) from None
    console.print(f"{task.card.name}: {len(task):,} rows, split {folds.name}")
    for what, count in task.counts.items():
        console.print(f"  {what}: {count:,}")
    for note in task.notes:
        console.print(f"  {note}")
    order = {"FAIL": 0, "WARN": 1}
    found = sorted(audit(task, folds), key=lambda finding: order.get(finding.status, 2))
    for finding in [each for each in found if each.status in order][:FINDINGS]:
        about = f"{finding.about}: " if finding.about else ""
        console.print(f"{finding.status:<7} {finding.check:<15} {about}{finding.reason}")
    number = {status: sum(each.status == status for each in found) for status in ("FAIL", "WARN", "PASS", "SKIPPED")}
    counted = ", ".join(f"{count} {status}" for status, count in number.items())
    console.print(f"audit: {counted} (bench audit {target} shows all)")
    console.print(f"next: bench run --task {target}")


def on_terminal() -> bool:
    """Whether a person can answer."""
    return sys.stdin.isatty()
