"""Which results are explained, with the fits and models that they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench.board.load import find_tasks
from bench.board.schema import BoardSummary
from bench.board.summarise import summarise
from bench.errors import BenchError, nearest
from bench.explain.explain import MotifSource, explain, subject_of
from bench.explain.record import Explanation
from bench.explain.subject import Effort
from bench.explain.variants import read_variants, variant_effects, write_effects
from bench.fit.predictor import Predictor
from bench.names import parse_name
from bench.plugins.registry import Registry
from bench.run.blend import NAME as BLEND
from bench.run.device import cpu_threads
from bench.run.execute import run_plan
from bench.run.job import Job
from bench.run.places.outside import Outside
from bench.run.plan import Selection, make_plan
from bench.run.predictors import Predictors
from bench.run.queue import Options
from bench.store.companions import EXPLANATION, write_companion
from bench.store.reading import stored_task
from bench.store.record import ResultRecord
from bench.store.result import NO_FEATURES, ResultId
from bench.store.store import Store
from bench.tasks.load import PlannedTask, TaskSource, load_planned


@dataclass(frozen=True)
class Wanted:
    """What a call of `bench explain` asked for. ``featurizers`` and ``models`` : both, or neither for the best row, the
    best deep one and the best GC-only one. ``variants`` : a file of them, whose effects go to ``effects``.
    ``modisco`` : ask TF-MoDISco too."""

    source: TaskSource
    target: str | None = None
    featurizers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    seeds: int = 1
    taxon: str = "auto"
    motifs: Path | None = None
    trust: bool = False
    variants: Path | None = None
    effects: Path = Path("effects.tsv")
    modisco: bool = False


def explain_task(
    wanted: Wanted,
    registry: Registry,
    store: Store,
    console: Console,
    effort: Effort,
    options: Options,
    say: Callable[[str], None],
    outside: Outside,
) -> list[tuple[ResultId, Explanation]]:
    """Explain results of a task, fitting what is missing, and keep what is found next to them.

    Raises
    ------
    BenchError : for unknown names, a task without results where none are named, and fits that fail.
    """
    planned = load_planned(wanted.source, registry)
    target = target_of(planned, wanted.target)
    if planned.task.targets[target].kind == "binary":
        numbers = [name for name, each in planned.task.targets.items() if each.kind != "binary"]
        instead = f"choose {' or '.join(numbers)} with --target" if numbers else "give the numbers that it was made of"
        raise BenchError(f"{planned.name}: {target!r} is binary, and explain is for regression targets: {instead}.")
    motifs = MotifSource.of(wanted.taxon, planned.task.card.organism, wanted.motifs)
    pairs = pairs_to_ask(wanted, planned, target, store)
    outcome, effects, last = [], {}, None
    with Predictors(
        registry, store, threads=options.threads or cpu_threads(), device=options.device, trust=wanted.trust, say=say
    ) as predictors:
        for featurizer, model in pairs:
            for seed in range(wanted.seeds):
                found = _made_otherwise(registry, store, planned, target, featurizer, model, seed)
                predictor: Predictor | None = None
                if found is None:
                    job = fitted_job(
                        wanted, planned, featurizer, model, seed, registry, store, console, options, outside
                    )
                    if job is None:
                        continue  # a model that draws nothing has one seed
                    place = job.targets.index(target)
                    found = store.record(job.results[place])
                    assert found is not None
                    predictor = predictors.of(job, place)
                subject = subject_of(planned, found, store.predictions(found.result), registry, motifs, predictor)
                if wanted.variants is not None and predictor is not None:
                    variants = read_variants(wanted.variants, subject)
                    name = f"{subject.name}, seed {seed}" if wanted.seeds > 1 else subject.name
                    effects[name], last = variant_effects(subject, variants), subject
                more = {}
                if featurizer in stored_task(store.task_folder(planned.name)).features:
                    more["no_model"] = "its features were made elsewhere: new sequences have none"
                made = explain(subject, found, effort=effort, say=say, modisco=wanted.modisco, **more)
                folder = store.folder(found.result)
                outcome.append((found.result, write_companion(folder, EXPLANATION, made.answer, made.files)))
    if last is not None:
        write_effects(wanted.effects, last, effects)
        say(f"effects of {len(next(iter(effects.values()))):,} variants: {wanted.effects}")
    return outcome


def target_of(planned: PlannedTask, wanted: str | None) -> str:
    targets = list(planned.task.targets)
    if wanted is None and len(targets) > 1:
        raise BenchError(
            f"{planned.name} has {len(targets)} targets: choose one with --target. There is: {', '.join(targets)}."
        )
    if wanted is not None and wanted not in targets:
        raise BenchError(f"--target: {planned.name} has no target {wanted!r}.{nearest(wanted, targets)}")
    return wanted or targets[0]


def pairs_to_ask(
    wanted: Wanted, planned: PlannedTask, target: str, store: Store, *, gc: bool = True
) -> list[tuple[str, str]]:
    """Featurizer and model of every row to explain. ``gc`` : among those of the board, GC alone as well."""
    if wanted.featurizers or wanted.models:
        if not (wanted.featurizers and wanted.models):
            raise BenchError("give both -f and -m, or neither for the best row, the best deep one and GC alone.")
        return [(f, m) for f in wanted.featurizers for m in wanted.models]
    board = board_of(store, planned, target)
    if board is None or not board.rows:
        raise BenchError(
            f"{store.root}: has no results of {planned.name}, {target}, split {planned.folds.name}: run it first, or"
            " say what to fit and explain with -f and -m."
        )
    wished = (board.best, board.best_deep, *([board.best_gc] if gc else []))
    names = dict.fromkeys(name for name in wished if name is not None)
    rows = [row for name in names if (row := board.row(name)) is not None]
    return [(row.featurizer, row.model) for row in rows]


def board_of(store: Store, planned: PlannedTask, target: str) -> BoardSummary | None:
    """The board of a target under a task's split; None where there are no results."""
    try:
        files = next((each for each in find_tasks(store.root, []) if each.name == planned.name), None)
    except BenchError:
        return None
    boards = [] if files is None else summarise(files).boards
    return next((b for b in boards if (b.target, b.split) == (target, planned.folds.name)), None)


def _made_otherwise(
    registry: Registry, store: Store, planned: PlannedTask, target: str, featurizer: str, model: str, seed: int
) -> ResultRecord | None:
    """The record of predictions that no plugin made: elsewhere, a blend, or of features made elsewhere. None
    where there are none."""
    result = ResultId(planned.name, target, planned.folds.name, featurizer, model, seed)
    record = store.record(result)
    if record is None:
        return None
    return record if record.external or not _is_known(registry, featurizer, model) else None


def _is_known(registry: Registry, featurizer: str, model: str) -> bool:
    """Whether a pair of the board can be fitted here: it is no blend, nor was it made elsewhere."""
    try:
        names = parse_name(featurizer)[0], parse_name(model)[0]
    except BenchError:
        return False
    fits = featurizer == NO_FEATURES or names[0] in registry.names("featurizer")
    return fits and names[1] in registry.names("model")


def has_models(
    pair: tuple[str, str], source: PlannedTask, target: str, seeds: int, store: Store, say: Callable[[str], None]
) -> bool:
    """Whether a row of the board has models that other rows can be asked of; said where it has none. A row of a plugin
    that is not here has: it is asked for by name, and the message says what there is."""
    results = [ResultId(source.name, target, source.folds.name, *pair, seed) for seed in range(seeds)]
    if parse_name(pair[1])[0] == BLEND:
        why = "a blend cannot"
    elif pair[0] in stored_task(store.task_folder(source.name)).features:
        why = "features made elsewhere cannot"
    elif any(record.external for each in results if (record := store.record(each)) is not None):
        why = "predictions made elsewhere cannot"
    else:
        return True
    say(f"{' + '.join(pair)}, a best row of {source.name}, is left out: {why} be asked for other rows")
    return False


def fitted_job(
    wanted: Wanted,
    planned: PlannedTask,
    featurizer: str,
    model: str,
    seed: int,
    registry: Registry,
    store: Store,
    console: Console,
    options: Options,
    outside: Outside,
) -> Job | None:
    """The job of a result, fitted where it or its models are missing; None for a seed that the model does not have."""
    source = wanted.source
    selection = Selection(
        (source.name,),
        None if featurizer == NO_FEATURES else (featurizer,),
        (model,),
        seeds=seed + 1,
        split=source.split,
        data_dir=source.data_dir,
        cache="refresh",
        keep_models=True,
    )
    plan = make_plan(selection, registry, store, outside=outside)
    jobs = [job for job in plan.jobs if job.seed == seed and any(r.target in planned.task.targets for r in job.results)]
    jobs = [job for job in jobs if target_of(planned, wanted.target) in job.targets]
    if not jobs:
        return None
    [job] = jobs
    there = (
        store.has(result, key) and store.has_models(result, key)
        for result, key in zip(job.results, job.keys, strict=True)
    )
    if not all(there):
        plan.jobs = [job]
        outcome = run_plan(plan, registry, store, console, options)
        if outcome.failed:
            raise BenchError(f"{outcome.failed[0][0]}: failed: {outcome.failed[0][1]}", status=1)
    return job
