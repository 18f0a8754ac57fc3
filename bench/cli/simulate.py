"""`bench simulate`: a task whose truth is known, to be run like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

#: What goes with --world; every other option is the world's own.
WITH_WORLD = {"out", "world", "length", "split", "name", "seed", "list_"}


def simulate(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for planted.toml, planted.tsv.gz and truth.json.")
    ] = None,
    world: Annotated[
        str | None,
        typer.Option(help="A named world, such as equal or outliers (--list); goes with length, split, name, seed."),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Name the worlds, what happens in each, and its truth.")
    ] = False,
    loci: Annotated[int, typer.Option(help="Loci: rows of one share its noise and, nearly, its GC.", min=20)] = 1000,
    tiles: Annotated[int, typer.Option(help="Rows a locus.", min=1)] = 3,
    gc_share: Annotated[float, typer.Option("--gc-share", help="Share of latent variance that is GC's.")] = 0.3,
    motif_share: Annotated[float, typer.Option("--motif-share", help="Share that is the motif's.")] = 0.3,
    motif: Annotated[str, typer.Option(help="neutral: hits leave GC as it is. rich: each hit brings GC.")] = "neutral",
    length: Annotated[int, typer.Option(help="Bases a row.", min=40)] = 150,
    depth: Annotated[
        list[float] | None, typer.Option("--depth", help="RNA depth of a replicate; repeat it for each. Default 10 10.")
    ] = None,
    dna_depth: Annotated[float, typer.Option("--dna-depth", help="Depth of the DNA; small: noise shared by all.")] = 50,
    gc_bias: Annotated[float, typer.Option("--gc-bias", help="GC bias of the DNA count alone.")] = 0.0,
    library_bias: Annotated[float, typer.Option("--library-bias", help="GC bias of the library, DNA and RNA.")] = 0.0,
    overdispersion: Annotated[float, typer.Option(help="Variance of RNA beyond Poisson's, relative.", min=0)] = 0.2,
    zero_inflation: Annotated[
        float, typer.Option("--zero-inflation", help="Chance that an RNA count is lost.", min=0, max=1)
    ] = 0.0,
    chromosomes: Annotated[int, typer.Option(help="Chromosomes the loci are dealt to.", min=3)] = 10,
    min_dna: Annotated[int, typer.Option("--min-dna", help="The task keeps rows with so many DNA reads.", min=0)] = 20,
    split: Annotated[
        str | None, typer.Option(help="Split of the task. Default: chromosome-kfold, k=5, or 3 below 5 chromosomes.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the task.")] = "planted-task",
    seed: Annotated[int, typer.Option(help="Everything follows from it.", min=0)] = 0,
) -> None:
    """Write a task whose truth is known: one of the named worlds, or GC share, motif share, loci, DNA noise and bias,
    depths and zeros as the options say."""
    import json
    from dataclasses import asdict

    from bench.datasets import simulate as planted
    from bench.datasets.planted import TRUTH, spec_of, write_task
    from bench.errors import BenchError, nearest
    from bench.tasks.splits import Split

    if list_:
        _list_worlds()
        return
    if out is None:
        raise BenchError("--out is missing: name the folder that the task is written to.")
    if world is not None:
        _write_world(context, out, world, length, split, name, seed)
        return
    if motif not in planted.MOTIFS:
        raise BenchError(f"--motif must be neutral or rich. Got {motif!r}.{nearest(motif, planted.MOTIFS)}")
    depths = depth or [10.0, 10.0]
    if not all(value > 0 for value in (*depths, dna_depth)):
        raise BenchError(f"--depth and --dna-depth must be above 0. Got {depths} and {dna_depth}.")
    if min(gc_share, motif_share) < 0 or gc_share + motif_share > 1:
        raise BenchError(
            f"--gc-share and --motif-share must be 0 or more and at most 1 together. Got {gc_share} and {motif_share}."
        )
    options = {
        "gc_share": gc_share, "motif_share": motif_share, "motif": motif, "length": length, "depths": depths,
        "dna_depth": dna_depth, "gc_bias": gc_bias, "library_bias": library_bias, "overdispersion": overdispersion,
        "zero_inflation": zero_inflation, "chromosomes": chromosomes, "seed": seed,
    }  # fmt: skip
    data = planted.simulate(loci, tiles, **options)  # type: ignore[arg-type]
    if int((data.dna >= min_dna).sum()) < 100:
        raise BenchError(
            f"only {int((data.dna >= min_dna).sum())} rows have {min_dna} DNA reads: raise --dna-depth or --loci, or"
            " lower --min-dna."
        )
    folds = Split.parse(split or f"chromosome-kfold[k={5 if chromosomes >= 5 else 3}]", "--split")
    spec = spec_of(data, name=name, min_dna=min_dna, split=folds)
    path, truth = write_task(out, data, spec, {"loci": loci, "tiles": tiles, **options})
    typer.echo(json.dumps(asdict(truth), indent=1))
    typer.echo(f"wrote {path} and {out / TRUTH}. Next: bench run --task {path}")


def _list_worlds() -> None:
    from bench.datasets.worlds import WORLDS

    width = max(map(len, WORLDS))
    for name, world in WORLDS.items():
        typer.echo(f"{name:<{width}}  {world.truth:+.3f}  {world.says}")


def _write_world(
    context: typer.Context, out: Path, name: str, length: int, split: str | None, task: str, seed: int
) -> None:
    """Write a named world. An option that the world decides itself is refused rather than ignored."""
    import json

    from bench.datasets.planted import TRUTH
    from bench.datasets.world_task import write_world
    from bench.datasets.worlds import LENGTH, world_of
    from bench.errors import BenchError
    from bench.tasks.splits import Split

    sources = {key: context.get_parameter_source(key) for key in context.params}
    said = {key for key, source in sources.items() if source is not None and source.name == "COMMANDLINE"}
    if others := sorted(said - WITH_WORLD):
        options = ", ".join(f"--{key.replace('_', '-')}" for key in others)
        raise BenchError(f"{options}: does not go with --world, which decides it. Leave one of the two out.")
    path, truth = write_world(
        out,
        world_of(name),
        seed,
        length=length if "length" in said else LENGTH,
        name=task if "name" in said else "",
        split=None if split is None else Split.parse(split, "--split"),
    )
    typer.echo(json.dumps(truth, indent=1))
    typer.echo(f"wrote {path} and {out / TRUTH}. Next: bench run --task {path}")
