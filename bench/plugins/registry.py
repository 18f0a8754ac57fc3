"""Which plugins there are, and an object from a name.

The only place that imports a concrete featurizer, model or data set. A plugin comes from an entry point (this package
declares its own as a third-party package does), from a file named on the command line or in ``bench.toml``, or from a
file dropped into ``featurizers/`` or ``models/``, next to the built-in ones or below the working folder.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.errors import BenchError, nearest
from bench.names import parse_name
from bench.plugins.declared import check_declared
from bench.plugins.described import Described, Describer, PluginRecipe
from bench.plugins.feature_sets import FeatureSet, class_of
from bench.plugins.files import classes_in_file, dropped_files
from bench.plugins.kinds import BASES, DISTRIBUTION, GROUPS, PluginKind, is_kind, kind_of, plugin_name
from bench.plugins.parameters import ENGINE_PARAMETERS, Scale, Value, normal_name, read_parameters, signature_of
from bench.plugins.source import loaded_digest

#: What the module of a built-in model's classifier is called after the model's own: a file apart, so that the key of a
#: regression does not follow from its code.
BINARY = "_binary"
#: Entry points of families of models: a function from the rest of a name (``sklearn:svm.SVR``) to the model's class.
FAMILIES = "bench.model_families"


@dataclass(frozen=True)
class Entry:
    """One known plugin: its class is imported only when ``load`` is called.

    Attributes
    ----------
    origin : where it is from, for people: a package or a path.
    file : the file that defines it, absolute; None for a plugin that an entry point names.
    load : gives the class, or what it says of itself (`Described`) where another process imports it.
    features : of a featurizer that stands for features made elsewhere.
    """

    kind: PluginKind
    name: str
    origin: str
    file: Path | None
    load: Callable[[], Any]
    features: FeatureSet | None = None

    @property
    def built_in(self) -> bool:
        """Whether an entry point of this package names it."""
        return self.file is None and self.origin == DISTRIBUTION


@dataclass(frozen=True)
class Made:
    """A plugin with its parameters.

    Attributes
    ----------
    name : its normal form, as shown on the board.
    cls : its class, or what that says of itself where another process imports it.
    parameters : all of them, those left at their defaults included.
    target : the scale a model fits. It is the engine's parameter, so ``parameters`` lacks it.
    multitask : a model that learns several targets at once.
    recipe : what it is made of, where another process imports it.
    """

    kind: PluginKind
    name: str
    cls: Any
    parameters: dict[str, Value]
    target: Scale = "rank"
    multitask: bool = False
    recipe: PluginRecipe | None = None

    @property
    def built_in(self) -> bool:
        """Whether its code is this package's own. A third-party file may lie in the same folders."""
        return not isinstance(self.cls, Described) and is_built_in(self.cls)

    def new(self) -> Any:
        """A fresh object. Not of a plugin that another process imports."""
        return self.cls(**self.parameters)

    def of_kind(self, kind: str) -> Made:
        """The model as it fits targets of a kind: for a binary one a built-in model's classifier, which
        ``classifier(cls)`` of the module called as the model's with ``_binary`` behind gives, where there is one. Other
        models are told the kind by ``Setting.kind``."""
        if kind != "binary" or not self.built_in:
            return self
        module = f"{self.cls.__module__}{BINARY}"
        if self.cls.__module__.endswith(BINARY) or importlib.util.find_spec(module) is None:
            return self
        return replace(self, cls=importlib.import_module(module).classifier(self.cls))


class Registry:
    """What is known in this process. Built-in and third-party plugins have the same rights; one name belongs to one
    plugin.

    Parameters
    ----------
    files : plugin files to know besides those that are found.
    folder : where to look for plugin folders; the working folder by default. ``dropped`` : whether to look at all.
    features : those made elsewhere, each a featurizer.
    describer : looks at third-party plugins in processes of their own. Without one they are imported in this process:
        for a process that is there to run them, or is theirs.

    Attributes
    ----------
    broken : third-party files and entry points that nobody named and that cannot be used, each with the reason.
    """

    def __init__(
        self,
        files: Iterable[str | os.PathLike[str]] = (),
        *,
        folder: Path | None = None,
        dropped: bool = True,
        describer: Describer | None = None,
        features: Iterable[FeatureSet] = (),
    ) -> None:
        self.files = tuple(dict.fromkeys(str(Path(f).resolve()) for f in files))
        self.describer = describer
        self.broken: dict[str, str] = {}
        self._entries: dict[PluginKind, dict[str, Entry]] = {kind: {} for kind in GROUPS}
        for kind, group in GROUPS.items():
            for point in importlib.metadata.entry_points(group=group):
                origin = point.dist.name if point.dist is not None else "unknown package"
                load: Callable[[], Any] = _checked_loader(kind, point.name, point.load)
                if describer is not None and origin != DISTRIBUTION:
                    load = functools.cache(functools.partial(_described, describer, kind, point.name))
                self._add(Entry(kind, point.name, origin, None, load))
        for named in self.files:
            self._add_file(Path(named))
        for path in dropped_files(Path.cwd() if folder is None else folder) if dropped else ():
            if str(path) not in self.files:
                self._add_dropped(path)
        for given in features:
            self.add_features(given)

    def _add_dropped(self, path: Path) -> None:
        """A file that nobody named: where it cannot be used, the others can."""
        try:
            self._add_file(path)
        except BenchError as error:
            if self.describer is None:
                raise
            self.broken[str(path)] = str(error)

    def _add_file(self, path: Path) -> None:
        """Every plugin class that a Python file defines."""
        added: set[tuple[PluginKind, str]] = set()
        found: list[Any] = classes_in_file(path) if self.describer is None else self.describer.describe(path)
        for cls in found:
            kind, name = (cls.plugin, cls.name) if isinstance(cls, Described) else (kind_of(cls), plugin_name(cls))
            if (kind, name) in added:
                raise BenchError(f"{path}: two {kind}s are named {name!r}. Rename one.")
            if not isinstance(cls, Described) and kind != "dataset":
                loaded_digest(cls)  # now: its file may be another one later
            self._add(Entry(kind, name, str(path), path, functools.partial(_itself, cls)))
            added.add((kind, name))

    def add_features(self, given: FeatureSet) -> None:
        """Know features made elsewhere by their name.

        Raises
        ------
        BenchError : for a name that is taken.
        """
        known = self._entries["featurizer"].get(given.name)
        if known is not None:
            raise BenchError(f"--name {given.name}: there is a featurizer of this name ({known.origin}). Give another.")
        load = functools.partial(_itself, class_of(given))
        self._entries["featurizer"][given.name] = Entry("featurizer", given.name, DISTRIBUTION, None, load, given)

    def features_of(self, featurizer: str | None) -> FeatureSet | None:
        """The features made elsewhere that a featurizer's name stands for; None for every other featurizer."""
        entry = None if featurizer is None else self._entries["featurizer"].get(parse_name(featurizer)[0])
        return None if entry is None else entry.features

    def outside(self, names: Iterable[tuple[PluginKind, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Of the plugins with these (kind, name), parameters given or not: those that are third-party, such as
        "featurizer mine", and the absolute paths of the files that they come from."""
        third = [entry for kind, text in names if not (entry := self.entry(kind, parse_name(text)[0])).built_in]
        files = dict.fromkeys(str(entry.file) for entry in third if entry.file is not None)
        return tuple(sorted({f"{entry.kind} {entry.name}" for entry in third})), tuple(files)

    def taken(self, but: Path | None = None) -> tuple[tuple[PluginKind, str, str], ...]:
        """(kind, name, origin) of every third-party plugin, but for those of a file."""
        entries = (entry for known in self._entries.values() for entry in known.values())
        return tuple((e.kind, e.name, e.origin) for e in entries if not e.built_in and (but is None or e.file != but))

    def reserve(self, names: Iterable[tuple[PluginKind, str, str]]) -> None:
        """Names that another registry's plugins have, which this one cannot load."""
        for kind, name, origin in names:
            self._entries[kind].setdefault(name, Entry(kind, name, origin, None, lambda: None))

    def _add(self, entry: Entry) -> None:
        known = self._entries[entry.kind].get(entry.name)
        if known is not None and known.origin != entry.origin and not _same(known, entry):
            raise BenchError(
                f"{entry.origin}: the {entry.kind} name {entry.name!r} is taken by {known.origin}."
                " Give it another name."
            )
        self._entries[entry.kind][entry.name] = entry

    def names(self, kind: PluginKind) -> list[str]:
        """Known names of a kind, sorted."""
        return sorted(self._entries[kind])

    def entry(self, kind: PluginKind, name: str) -> Entry:
        """The entry of a bare name.

        Raises
        ------
        BenchError : for an unknown name, with the nearest one.
        """
        if kind == "model" and ":" in name:
            return _of_family(name)
        if name not in self._entries[kind]:
            hint = " A task of your own is named by its file, which ends in .toml." if kind == "dataset" else ""
            what = "task" if kind == "dataset" else kind
            if self.broken:
                hint = f" Not used: {'; '.join(self.broken.values())}"
            raise BenchError(f"unknown {what} {name!r}.{nearest(name, self._entries[kind])}{hint}")
        return self._entries[kind][name]

    def find(self, kind: PluginKind, name: str) -> Any:
        """The class of a bare name."""
        return self.entry(kind, name).load()

    def make(self, kind: PluginKind, text: str) -> Made:
        """A plugin from ``name[key=value,...]``, its parameters typed by the signature of its class.

        Raises
        ------
        BenchError : for an unknown name or parameter (with the valid ones), or a value of the wrong type.
        """
        name, given = parse_name(text)
        entry = self.entry(kind, name)
        cls = entry.load()
        if isinstance(cls, Described):
            assert self.describer is not None
            made = self.describer.make(entry.file, kind, text)
            return Made(kind, made.name, cls, made.parameters, made.target, made.multitask, made.recipe)
        known = signature_of(cls)
        if kind == "model":
            clash = set(known) & set(ENGINE_PARAMETERS)
            if clash:
                raise BenchError(f"{name}: the parameter {clash.pop()!r} is the engine's own. Give it another name.")
            known |= ENGINE_PARAMETERS
        parameters = read_parameters(name, given, known)
        normal = normal_name(cls, parameters)
        target: Scale = "raw" if kind == "model" and parameters.pop("target") == "raw" else "rank"
        try:
            new = cls(**parameters)
            check_declared(kind, new)
        except BenchError:
            raise
        except ValueError as error:
            raise BenchError(f"{normal}: {error or 'ValueError'}") from error
        except (Exception, SystemExit) as error:
            raise BenchError(f"{normal}: cannot be made: {type(error).__name__}: {error}") from error
        stored = None if entry.features is None else entry.features.recipe
        return Made(kind, normal, cls, parameters, target, kind == "model" and bool(new.multitask), stored)


def is_built_in(cls: type) -> bool:
    """Whether a plugin class is this package's own."""
    return cls.__module__ in _own_modules() or cls.__module__ == class_of.__module__


@functools.cache
def _own_modules() -> frozenset[str]:
    """Modules that the entry points of this package name, with those of their classifiers."""
    return frozenset(
        point.value.partition(":")[0] + more
        for group in (*GROUPS.values(), FAMILIES)
        for point in importlib.metadata.entry_points(group=group)
        if point.dist is not None and point.dist.name == DISTRIBUTION
        for more in ("", BINARY)
    )


def _of_family(name: str) -> Entry:
    """The model ``family:member``."""
    family, _, member = name.partition(":")
    found = {
        point.name: point
        for point in importlib.metadata.entry_points(group=FAMILIES)
        if point.dist is not None and point.dist.name == DISTRIBUTION
    }
    if family not in found:
        raise BenchError(f"unknown model {name!r}: there is no family {family!r}.{nearest(family, found)}")
    return Entry("model", name, DISTRIBUTION, None, lambda: found[family].load()(member))


def _itself(cls: Any) -> Any:
    return cls


def _described(describer: Describer, kind: PluginKind, name: str) -> Described:
    return describer.describe(None, kind, name)[0]


def _same(one: Entry, other: Entry) -> bool:
    """Whether two entries are of one class."""
    here, there = one.load(), other.load()
    if isinstance(here, Described) and isinstance(there, Described):
        return here.where == there.where
    return here is there


def _checked_loader(kind: PluginKind, name: str, load: Callable[[], Any]) -> Callable[[], type]:
    """``load`` of an entry point, with an error in words where it gives no plugin of this kind and name."""

    def checked() -> type:
        try:
            cls = load()
        except (Exception, SystemExit) as error:
            raise BenchError(f"the {kind} {name!r} cannot be imported: {type(error).__name__}: {error}") from error
        if not is_kind(cls, kind):
            base = BASES[kind].rpartition(".")[2]
            raise BenchError(f"the entry point {name!r} must be a class derived from {base}. Got {cls!r}.")
        if cls.__dict__.get("name") != name:
            raise BenchError(f"the entry point {name!r} points to a class named {getattr(cls, 'name', None)!r}.")
        checked_class: type = cls
        return checked_class

    return checked
