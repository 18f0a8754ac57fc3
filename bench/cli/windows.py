"""`bench data windows`: start sites of an annotation against a table of expression, as a task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def windows(
    table: Annotated[Path, typer.Argument(help="One row per gene or transcript, one column per replicate.")],
    annotation: Annotated[Path, typer.Option("--annotation", help="GTF, GFF or BED with the start sites.")],
    fasta: Annotated[Path, typer.Option("--fasta", help="The genome that the annotation is of.")],
    target: Annotated[
        list[str],
        typer.Option("--target", help="What was measured, and its replicates: K562=k562_1,k562_2. Repeatable."),
    ],
    window: Annotated[
        tuple[int, int],
        typer.Option(help="First and last base, from the start site along the strand: -700 200."),
    ] = (-700, 200),
    id_column: Annotated[
        str | None, typer.Option("--id", help="Column of the ids; gene_id, transcript_id ... or the first.")
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(help="Attribute of the GTF that the ids are; of gene_id, transcript_id and gene_name the best."),
    ] = None,
    feature: Annotated[str, typer.Option(help="Lines of the GTF that have start sites.")] = "transcript",
    site: Annotated[
        str,
        typer.Option(
            help="Of a gene with several start sites: common (most of its transcripts share it, the most upstream of"
            " equals) or upstream."
        ),
    ] = "common",
    out: Annotated[Path, typer.Option("--out", "-o", help="Writes OUT.tsv and OUT.toml.")] = Path("windows"),
) -> None:
    """Cut windows from a genome at start sites, strand-aware, and write them with the levels of a table as a task.

    Ids match with or without their version. What is left out is counted and said. Then: bench run --task OUT.toml
    """
    from rich.console import Console

    from bench.errors import BenchError
    from bench.tasks.windows import SITES, WindowsAsked, write_windows

    rule = next((each for each in SITES if each == site), None)
    if rule is None:
        raise BenchError(f"--site must be {' or '.join(SITES)}. Got {site!r}.")
    targets: dict[str, list[str]] = {}
    for text in target:
        name, equals, columns = (piece.strip() for piece in text.partition("="))
        named = [column.strip() for column in columns.split(",") if column.strip()]
        if not (name and equals and named) or name in targets:
            raise BenchError(f"--target must be NAME=column,column, each name once. Got {text!r}.")
        targets[name] = named
    asked = WindowsAsked(table, annotation, fasta, targets, window, id_column, match, feature, rule)
    path, found = write_windows(asked, out)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    for note in found.notes:
        console.print(f"  {note}")
    console.print(f"written: {path}\nnext: bench run --task {path}")
