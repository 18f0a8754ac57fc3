"""`bench compare`: the paired difference of two results, or of every result that two result folders share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="task/target/featurizer+model, featurizer+model, or a folder.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The same kind of thing.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of results that names are looked up in.")] = Path(
        "results"
    ),
    split: Annotated[str | None, typer.Option(help="Which split, where there are several.")] = None,
) -> None:
    """Difference in Spearman (A − B), task by task: interval over loci, Holm over all lines, effective n."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from bench.board.compare import compare as compute
    from bench.report.text import count, interval, joined, number, signed

    found = compute(a, b, out, split)
    console = Console()
    pairs = {(line.a.pair, line.b.pair) for line in found.lines}
    same = all(left == right for left, right in pairs)  # two folders of one pair are told apart by their paths alone
    named = next(iter(pairs)) if len(pairs) == 1 and not same else (a, b)
    for letter, name in zip("AB", named, strict=True):
        console.print(Text(f"{letter}  {name}"), highlight=False, soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("task, target, result" if same else "task, target", overflow="fold")
    for heading in ("A", "B", "A − B [95 %]", "p (Holm)", "n (effective)"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in found.lines:
        gap = line.difference
        table.add_row(
            Text(f"{line.a.task}, {line.a.target}" + (f", {line.a.pair}" if same else "")),
            number(line.score_a.value),
            number(line.score_b.value),
            Text(joined(signed(gap.value), interval(gap.low, gap.high))),
            "< 0.001" if line.p_holm < 0.001 else number(line.p_holm),
            f"{count(line.rows)} ({count(line.effective_rows)})",
        )
    console.print(table)
    for reason in found.refused:
        console.print(Text.assemble(("not compared: ", "yellow"), reason), soft_wrap=True)
    console.print(
        "Spearman within folds, then averaged. Loci are resampled, the same for A and B; p adjusted by Holm over"
        f" {len(found.lines)} line{'s' if len(found.lines) > 1 else ''}.",
        highlight=False,
    )
