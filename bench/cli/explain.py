"""`bench explain`: what a model learned - motifs, position or composition."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.fitting import DataDir, Device, Out, Plugins, Seeds, SplitName, TaskName, Threads, TrustModels


def explain(
    task: TaskName,
    featurizer: Annotated[
        list[str] | None, typer.Option("--featurizer", "-f", help="With -m: which row, such as kmers[k=5]. Repeatable.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", help="With -f: which row, such as xgboost. Repeatable.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Which target, where the task has several.")] = None,
    seeds: Seeds = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer rows, backgrounds and families: a look of half a minute a row.")
    ] = False,
    taxon: Annotated[
        str, typer.Option(help="Motifs of JASPAR to look for; auto: those of the task's organism.")
    ] = "auto",
    motifs: Annotated[
        Path | None, typer.Option("--motifs", help="A MEME, JASPAR or HOCOMOCO file of motifs instead.")
    ] = None,
    variants: Annotated[
        Path | None,
        typer.Option("--variants", help="A VCF, or a table with id, pos (from 1), ref and alt: what they do."),
    ] = None,
    effects: Annotated[Path, typer.Option("--effects", help="Where the effects of --variants go (.tsv).")] = Path(
        "effects.tsv"
    ),
    modisco: Annotated[
        bool,
        typer.Option("--modisco", help="Motifs by TF-MoDISco too (pip install 'bench-gc\\[modisco]')."),
    ] = False,
    study: Annotated[
        bool,
        typer.Option(
            "--study",
            help="How good must a model be? Fit the rows in simulated worlds of rising signal, made of the task's rows,"
            " and compare what is found with what was written: a page in `study/`.",
        ),
    ] = False,
    split: SplitName = None,
    out: Out = Path("results"),
    device: Device = "auto",
    threads: Threads = None,
    data_dir: DataDir = None,
    plugin: Plugins = None,
    trust_models: TrustModels = False,
) -> None:
    """Ask fitted models what they learned: the best row, the best deep one and GC alone, or those of -f and -m.

    What is missing is fitted; models and answers are kept next to the results, and the board shows them. With --study
    simulated worlds take the place of the task's own rows.
    """
    from rich.console import Console

    from bench.dataset import Unavailable
    from bench.errors import BenchError
    from bench.explain.modisco import installed
    from bench.explain.studied import study_in_words
    from bench.explain.study import QUICK_STUDY, STUDY
    from bench.explain.subject import FULL, QUICK
    from bench.plugins.settings import registry_of
    from bench.report import write_board
    from bench.report.explained import told
    from bench.report.study import write_study
    from bench.run.explaining import Wanted, explain_task
    from bench.run.places.outside import Outside
    from bench.run.queue import Options
    from bench.run.studying import kept_studies, study_task
    from bench.store.store import Store
    from bench.tasks.load import TaskSource

    if study and (variants is not None or modisco or seeds > 1):
        raise BenchError(
            "--study is of simulated rows, one seed each: it takes neither --variants, --modisco nor --seeds."
        )
    if modisco and installed() is None:
        raise BenchError("--modisco: modisco-lite is not installed. Run: pip install 'bench-gc[modisco]'")
    console = Console(soft_wrap=True, highlight=False, markup=False)
    store = Store(out)
    store.check_writable()
    wanted = Wanted(
        TaskSource(task, split, data_dir=data_dir),
        target,
        tuple(featurizer or ()),
        tuple(model or ()),
        seeds,
        taxon,
        motifs,
        trust_models,
        variants,
        effects,
        modisco,
    )
    options = Options(device, threads)
    with Outside() as outside:
        registry = registry_of(plugin or [], describer=outside)
        try:
            if study:
                how = QUICK_STUDY if quick else STUDY
                studies = study_task(
                    wanted, registry, store, console, how, options, console.print, outside, quick=quick
                )
            else:
                effort = QUICK if quick else FULL
                found = explain_task(wanted, registry, store, console, effort, options, console.print, outside)
        except Unavailable as absent:
            raise BenchError(f"{task}: {absent}") from None
    if study:
        for each in studies:
            console.print(f"\n{each.pair}")
            for line in study_in_words(each):
                console.print(f"  {line}")
        kept = kept_studies(out / "study", studies[0].task, studies[0].target)
        console.print(f"\nstudy: {write_study(kept, out / 'study')}")
        return
    for result, answer in found:
        console.print(f"\n{result}")
        for line in told(answer):
            console.print(f"  {line}")
    console.print(f"\nleaderboard: {write_board(out)}")
