"""The recipe of a result: all that its predictions may depend on. Its hash is the result's key.

It is made when a run is planned, travels with the job, and is made again by the process that fits: before the fit, and
after it. Where the two differ, somebody changed a file meanwhile, and the fit fails.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.errors import BenchError
from bench.plugins.declared import file_digests, names_of
from bench.plugins.described import PluginRecipe
from bench.plugins.libraries import keras_backend_of, library_versions, used_libraries
from bench.plugins.registry import Made
from bench.plugins.source import loaded_digest, source_digest
from bench.tasks.digest import content_of
from bench.tasks.task import Folds, Task

#: Raised when the way the engine prepares targets or rows changes what a fit predicts, or what it predicts on (2: the
#: dinucleotide shuffles of its test rows too; 3: gaps in covariates have the median).
PROTOCOL = 3
#: Packages other than those that a plugin declares which decide predictions.
COMMON_LIBRARIES = ("numpy",)


@dataclass(frozen=True)
class Recipe:
    """All that the predictions of a job may depend on. Device, threads, output folder, other targets, strata, notes,
    other plugins, the order of arguments and comments are not in it.

    Attributes
    ----------
    task : its name, for messages; not part of the key.
    protocol : version of what the engine does between features and predictions.
    sequences : hash of the bases and intervals of all rows.
    values : hashes of the values of the targets that are fitted together, in their order.
    folds : hash of every row's part in every fold.
    model, featurizer : None for a model that looks at no features.
    seed : of the fit.
    covariates : hashes of those that the featurizer declares, by name.
    numpy : its version.
    orientation : of the assay where the model may make use of it ("free"), else empty.

    The others have the value of most fits as their default, and one that has it is not hashed. members : keys of the
    results that a blend is made of. kind : of the targets, "binary" where labels are fitted. features : of those made
    by another program, hash of the rows' names, by which they are looked up (their content is among the files of
    ``featurizer``). Places for what is not done yet: replicates, how they become one value; predictions, hash of those
    made by other programs.
    """

    task: str = field(compare=False)
    protocol: int
    sequences: str
    values: tuple[str, ...]
    folds: str
    model: PluginRecipe
    featurizer: PluginRecipe | None
    seed: int
    covariates: tuple[tuple[str, str], ...] = ()
    numpy: str = ""
    orientation: str = ""
    replicates: str = "mean"
    members: tuple[str, ...] = ()
    features: str = ""
    predictions: str = ""
    kind: str = "regression"

    def key(self, place: int = 0) -> str:
        """The key of the result of one of the targets, by its place among them: 24 hexadecimal digits."""
        content = {**_hashed(self), "place": place}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]

    @property
    def libraries(self) -> dict[str, str]:
        """Versions of the libraries that take part, by name."""
        plugins = [self.model, *([self.featurizer] if self.featurizer is not None else [])]
        return {"numpy": self.numpy} | {name: version for each in plugins for name, version in each.libraries}

    @property
    def reverse_complement(self) -> bool:
        """Whether the model may use the other strand of a row as well."""
        return self.orientation == "free"


def _hashed(recipe: Any) -> dict[str, Any]:
    """The fields that count, without those that have their default."""
    content = {}
    for each in dataclasses.fields(recipe):
        value = getattr(recipe, each.name)
        if each.compare and (each.default is dataclasses.MISSING or value != each.default):
            content[each.name] = _hashed(value) if isinstance(value, PluginRecipe) else value
    return content


def plugin_recipe(made: Made, *, loaded: bool = True) -> PluginRecipe:
    """What a plugin is made of; of one that another process imports, what it was made of there.

    Parameters
    ----------
    loaded : its code as this process has loaded it; False: as it lies in files now.

    Raises
    ------
    BenchError : for a declared file that is not there.
    """
    if made.recipe is not None:
        return made.recipe
    plugin = made.new()
    libraries = names_of(plugin, "libraries")
    parameters = {key: repr(value) for key, value in made.parameters.items()}
    if made.kind == "model":
        parameters["target"] = repr(made.target)
    return PluginRecipe(
        name=made.name,
        source=(loaded_digest if loaded else source_digest)(made.cls),
        parameters=tuple(sorted(parameters.items())),
        libraries=tuple(library_versions(used_libraries(libraries)).items()),
        files=file_digests(plugin),
        backend=keras_backend_of(libraries),
        residualise=str(getattr(plugin, "residualise", "")),
    )


def recipe_of(
    task: Task,
    folds: Folds,
    featurizer: Made | None,
    model: Made,
    seed: int,
    targets: tuple[str, ...],
    *,
    plugins: tuple[PluginRecipe | None, PluginRecipe] | None = None,
) -> Recipe:
    """The recipe of a job.

    Parameters
    ----------
    targets : those that are fitted together.
    plugins : recipes of featurizer and model, where they are there already.

    Raises
    ------
    BenchError : for a declared file that is not there.
    """
    seen, learner = plugins or (None if featurizer is None else plugin_recipe(featurizer), plugin_recipe(model))
    content = content_of(task)
    declared = () if featurizer is None else featurizer.cls.covariates
    return Recipe(
        task=task.card.name,
        protocol=PROTOCOL,
        sequences=content.sequences,
        values=tuple(content.values[target] for target in targets),
        folds=folds.digest,
        model=learner,
        featurizer=seen,
        seed=seed,
        covariates=tuple((name, content.covariates[name]) for name in sorted(set(declared))),
        numpy=library_versions(COMMON_LIBRARIES)["numpy"],
        orientation=task.card.orientation if task.card.orientation == "free" and may_flip(model) else "",
        kind=kind_of_targets(task, targets),
        features="" if featurizer is None or featurizer.cls.role != "outside" else _names_digest(task),
    )


@functools.lru_cache(maxsize=1)
def _names_digest(task: Task) -> str:
    """Hash of the rows' names, by which features made elsewhere are looked up."""
    return hashlib.sha256("\n".join(task.row_id.tolist()).encode()).hexdigest()[:16]


def kind_of_targets(task: Task, targets: tuple[str, ...]) -> Literal["regression", "binary"]:
    """The kind of targets that are fitted together.

    Raises
    ------
    BenchError : for targets of two kinds.
    """
    kinds = {task.targets[name].kind for name in targets}
    if len(kinds) > 1:
        raise BenchError(f"{task.card.name}: targets of two kinds cannot be fitted together: {', '.join(targets)}.")
    return kinds.pop() if kinds else "regression"


def may_flip(model: Made) -> bool:
    """Whether a model may make use of the other strand of its rows. A built-in one that takes tables does not."""
    return not model.built_in or "table" not in model.cls.takes


def check_recipe(
    planned: Recipe, task: Task, folds: Folds, featurizer: Made | None, model: Made, targets: tuple[str, ...], when: str
) -> None:
    """Refuse to fit, or to keep, what does not follow from the recipe that was planned: from files as they lie there
    now, and from the code that this process has loaded.

    Raises
    ------
    BenchError : naming what differs. ``when`` says since when.
    """
    for loaded, since in ((False, when), (True, "this process has loaded another version than the plan's")):
        seen = None if featurizer is None else plugin_recipe(featurizer, loaded=loaded)
        plugins = seen, plugin_recipe(model, loaded=loaded)
        now = recipe_of(task, folds, featurizer, model, planned.seed, targets, plugins=plugins)
        changed = ", ".join(differences(planned, now))
        if changed:
            raise BenchError(
                f"{planned.task}: {since}: {changed}. What is fitted now would not be the result that was planned."
                " Run again, with the same files and versions on every machine.",
                status=1,
            )


def differences(planned: Recipe, now: Recipe) -> Iterator[str]:
    """In words, what differs between two recipes: ``the code of skew``."""
    words = {"sequences": "the sequences", "values": "the values of the target", "folds": "the folds of the split",
             "covariates": "a covariate", "features": "the names of the rows"}  # fmt: skip
    for each in dataclasses.fields(planned):
        ours, theirs = getattr(planned, each.name), getattr(now, each.name)
        if not each.compare or ours == theirs:
            continue
        if isinstance(ours, PluginRecipe) and isinstance(theirs, PluginRecipe):
            yield from (f"{what} of {ours.name}" for what in _differing(ours, theirs))
        else:
            yield words.get(each.name, each.name)


def _differing(ours: PluginRecipe, theirs: PluginRecipe) -> Iterator[str]:
    words = {"source": "the code", "parameters": "a parameter", "files": "a file", "backend": "the Keras backend"}
    for each in dataclasses.fields(ours):
        mine, other = getattr(ours, each.name), getattr(theirs, each.name)
        if each.name == "libraries" and mine != other:
            names = sorted({name for name, _ in {*mine} ^ {*other}})
            yield f"the version of {' and '.join(names)}"
        elif each.compare and mine != other:
            yield words[each.name]
