"""Fits learners in simulated worlds made of a task's rows, and explains them: how good must a model be?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from bench.errors import BenchError
from bench.explain.explain import MotifSource, subject_of
from bench.explain.record import Study, StudyPoint
from bench.explain.study import StudyEffort, World, make_world, study_point, write_world
from bench.files.atomic import disk_errors
from bench.plugins.registry import Registry
from bench.run.device import cpu_threads
from bench.run.execute import run_plan
from bench.run.explaining import Wanted, board_of, has_models, pairs_to_ask, target_of
from bench.run.job import Job
from bench.run.places.outside import Outside
from bench.run.plan import Plan, Selection, make_plan
from bench.run.predictors import Predictors
from bench.run.queue import Options
from bench.store.record import read_record, write_record
from bench.store.result import NO_FEATURES, safe_name
from bench.store.store import Store
from bench.tasks.load import PlannedTask, load_planned
from bench.tasks.task import TEST


def study_task(
    wanted: Wanted,
    registry: Registry,
    store: Store,
    console: Console,
    effort: StudyEffort,
    options: Options,
    say: Callable[[str], None],
    outside: Outside,
    *,
    quick: bool,
) -> list[Study]:
    """Fit pairs in worlds of rising signal and compare what explaining them finds with what was written. Worlds, fits
    and what was found are kept in ``study`` beside the task's results; a call goes on where the last one stopped.

    Raises
    ------
    BenchError : as ``explain_task``, and where no pair can be studied. KeyboardInterrupt : the fits were interrupted.
    """
    planned = load_planned(wanted.source, registry)
    wanted = replace(wanted, target=target_of(planned, wanted.target))
    assert wanted.target is not None
    motifs = MotifSource.of(wanted.taxon, planned.task.card.organism, wanted.motifs)
    pairs = _pairs(wanted, planned, wanted.target, store, say)
    folder = store.root / "study"
    fits = Store(folder / "fits")
    worlds = [make_world(planned, motifs.motifs, effort.rows, number) for number in range(effort.worlds)]
    paths = _written(planned, worlds, effort, folder / "worlds")
    plans: dict[tuple[str, str], list[tuple[float, int, Job]]] = {}
    whole, refused = Plan(Selection(())), ""
    for pair in pairs:
        try:
            parts = [(signal, number, _plan(pair, path, registry, fits, outside)) for signal, number, path in paths]
        except BenchError as error:  # it needs covariates, say: worlds have none
            refused = f"{pair[0]} + {pair[1]} cannot be studied: in the simulated worlds, {error}"
            say(refused)
            continue
        named = parts[0][2].jobs[0].results[0]  # by its whole name: kmers[k=6] for kmers
        plans[named.featurizer, named.model] = [(signal, number, part.jobs[0]) for signal, number, part in parts]
        for _, _, part in parts:
            _join(whole, part, fits)
    if not plans:
        raise BenchError(refused)
    if whole.jobs:
        outcome = run_plan(whole, registry, fits, console, options)
        if outcome.interrupted:
            raise KeyboardInterrupt
        for result, reason, log in outcome.failed:
            refused = f"{result.featurizer} + {result.model} failed: {reason}. The log: {log}"
            if plans.pop((result.featurizer, result.model), None) is not None:
                say(refused)
    if not plans:
        raise BenchError(refused, status=1)
    found = []
    with Predictors(
        registry, fits, threads=options.threads or cpu_threads(), device=options.device, trust=wanted.trust, say=say
    ) as predictors:
        for pair, jobs in plans.items():
            say(f"{pair[0]} + {pair[1]}: what it says of {len(jobs)} world{'s' * (len(jobs) > 1)}")
            points = [_point(job, worlds[n], signal, n, fits, registry, motifs, predictors) for signal, n, job in jobs]
            study = _study(wanted, planned, pair, points, worlds[0], motifs, store, quick=quick)
            with disk_errors(folder):
                write_record(folder / study.file, study)
            found.append(study)
    return found


def _pairs(
    wanted: Wanted, planned: PlannedTask, target: str, store: Store, say: Callable[[str], None]
) -> list[tuple[str, str]]:
    """The pairs to study: those named, or the best of the board that can be fitted in another world."""
    asked = pairs_to_ask(wanted, planned, target, store, gc=False)
    if wanted.featurizers:
        return asked
    pairs = [pair for pair in asked if has_models(pair, planned, target, wanted.seeds, store, say)]
    if not pairs:
        raise BenchError(
            f"{store.root}: the best rows of {planned.name}, {target}, are GC alone, blends or made elsewhere, which"
            " cannot be fitted in simulated worlds: name a row with -f and -m."
        )
    return pairs


def _written(
    planned: PlannedTask, worlds: list[World], effort: StudyEffort, folder: Path
) -> list[tuple[float, int, Path]]:
    """Signal, number of the world and path of the task file of every world."""
    plain = re.sub(r"[^A-Za-z0-9_.+-]", "-", safe_name(planned.name))  # what a task file takes for a name
    organism = planned.task.card.organism
    return [
        (signal, number, write_world(
            folder, f"{plain}-{len(world.codes)}-rows-{signal:g}-world-{number}", world, signal, organism))
        for number, world in enumerate(worlds)
        for signal in effort.signals
    ]  # fmt: skip


def _plan(pair: tuple[str, str], path: Path, registry: Registry, fits: Store, outside: Outside) -> Plan:
    featurizer, model = pair
    named = None if featurizer == NO_FEATURES else (featurizer,)
    selection = Selection((str(path),), named, (model,), cache="refresh", keep_models=True)
    return make_plan(selection, registry, fits, outside=outside)


def _join(whole: Plan, part: Plan, fits: Store) -> None:
    """Add a plan's task, and its job where that is not fitted with its model kept."""
    known = {each.name for each in whole.tasks}
    whole.tasks += [each for each in part.tasks if each.name not in known]
    [job] = part.jobs
    pairs = list(zip(job.results, job.keys, strict=True))
    if not all(fits.has(result, key) and fits.has_models(result, key) for result, key in pairs):
        whole.jobs.append(job)


def _point(
    job: Job,
    world: World,
    signal: float,
    number: int,
    fits: Store,
    registry: Registry,
    motifs: MotifSource,
    predictors: Predictors,
) -> StudyPoint:
    record = fits.record(job.results[0])
    assert record is not None
    predictor = predictors.of(job)
    subject = subject_of(job.planned, record, fits.predictions(record.result), registry, motifs, predictor)
    return study_point(subject, world, signal, number)


def _study(
    wanted: Wanted,
    planned: PlannedTask,
    pair: tuple[str, str],
    points: list[StudyPoint],
    world: World,
    motifs: MotifSource,
    store: Store,
    *,
    quick: bool,
) -> Study:
    assert wanted.target is not None
    board = board_of(store, planned, wanted.target)
    row = None if board is None else board.row(f"{pair[0]} + {pair[1]}")
    return Study(
        task=planned.name,
        target=wanted.target,
        split=planned.folds.name,
        featurizer=pair[0],
        model=pair[1],
        quick=quick,
        rows=len(world.codes),
        test_rows=int((world.part == TEST).sum()),
        motifs=motifs.said,
        points=points,
        of_ceiling=None if row is None or row.of_ceiling is None else row.of_ceiling.value,
    )


def kept_studies(folder: Path, task: str, target: str) -> list[Study]:
    """Every study of a target that a folder keeps, those of a pair together."""
    found = (read_record(Study, path).record for path in sorted(folder.glob("*.json")))
    mine = [study for study in found if study is not None and (study.task, study.target) == (task, target)]
    return sorted(mine, key=lambda study: (study.pair, study.quick, study.split, study.motifs))
