"""Plugins: discovery, lookup by name, parameters from the class's own signature.

The only place that imports a concrete featurizer, model or data set. A plugin comes from an entry point (this package's
own are declared the same way as a stranger's), from a file named on the command line or in ``bench.toml``, or from a
file dropped into ``featurizers/`` or ``models/`` beside the built-in ones or under the working folder.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import itertools
import math
import os
import re
import tomllib
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, Literal

from bench.errors import BenchError, nearest
from bench.names import format_name, parse_name
from bench.plugins.modules import module_name

PluginKind = Literal["featurizer", "model", "dataset"]
GROUPS: dict[PluginKind, str] = {
    "featurizer": "bench.featurizers",
    "model": "bench.models",
    "dataset": "bench.datasets",
}
#: What this package is installed as.
DISTRIBUTION = "bench-gc"
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
#: Names that one sweep may stand for: more is a slip of the finger.
MOST_SWEPT = 100
#: Parameters the engine adds to every model.
ENGINE_PARAMETERS = {"target": Literal["rank", "raw"]}


@dataclass(frozen=True)
class Entry:
    """One known plugin: its class is imported only when ``load`` is called."""

    kind: PluginKind
    name: str
    origin: str
    load: Callable[[], type]


@dataclass(frozen=True)
class Made:
    """A plugin with its parameters: ``name`` is the normal form shown on the board, ``parameters`` all of them."""

    kind: PluginKind
    name: str
    cls: Any
    parameters: dict[str, Any]
    target: Any = "rank"

    @property
    def built_in(self) -> bool:
        """Whether its code is this package's own. A stranger's file may lie in the same folders."""
        return is_built_in(self.cls)

    def new(self) -> Any:
        """A fresh object."""
        return self.cls(**self.parameters)


class Registry:
    """What is known in this process. Built-ins and strangers have the same rights; one name belongs to one plugin."""

    def __init__(self, files: Iterable[str | os.PathLike[str]] = (), *, folder: Path | None = None) -> None:
        self.files = tuple(dict.fromkeys(str(Path(f).resolve()) for f in files))
        self._folder = folder if folder is not None else Path.cwd()
        self._entries: dict[PluginKind, dict[str, Entry]] = {kind: {} for kind in GROUPS}
        for kind, group in GROUPS.items():
            for point in importlib.metadata.entry_points(group=group):
                origin = point.dist.name if point.dist is not None else "unknown package"
                self._add(Entry(kind, point.name, origin, _checked_loader(kind, point.name, point.load)))
        for path in (*self.files, *self._dropped_files()):
            self.add_file(path)

    def _dropped_files(self) -> list[str]:
        """Files in the plugin folders (of this package and of the working folder) that no entry point names."""
        named = {
            point.value.partition(":")[0]
            for group in GROUPS.values()
            for point in importlib.metadata.entry_points(group=group)
        }
        found: dict[str, None] = {}
        for room in ("featurizers", "models"):
            package = importlib.import_module(f"bench.{room}")
            homes = {Path(place).resolve() for place in package.__path__}
            for home in sorted({*homes, (self._folder / room).resolve()}):
                if not home.is_dir():
                    continue
                for path in sorted(home.glob("*.py")):
                    if path.stem.startswith(("_", "test_")):
                        continue
                    if (home in homes or _is_clone(home.parent)) and f"bench.{room}.{path.stem}" in named:
                        continue
                    if _defines_plugin(path):
                        found[str(path)] = None
        return [path for path in found if path not in self.files]

    def add_file(self, path: str) -> list[Entry]:
        """Every plugin class that a Python file defines."""
        added: list[Entry] = []
        for cls in classes_in_file(path):
            entry = Entry(kind_of(cls), plugin_name(cls), path, lambda cls=cls: cls)  # type: ignore[misc]
            if any((entry.kind, entry.name) == (other.kind, other.name) for other in added):
                raise BenchError(f"{path}: two {entry.kind}s are named {entry.name!r}. Rename one.")
            self._add(entry)
            added.append(entry)
        return added

    def every_file(self) -> tuple[str, ...]:
        """Absolute paths of all plugin files, for a process that does not see this one's working folder."""
        paths = {
            e.origin: None for entries in self._entries.values() for e in entries.values() if e.origin.endswith(".py")
        }
        return tuple(paths)

    def _add(self, entry: Entry) -> None:
        known = self._entries[entry.kind].get(entry.name)
        if known is not None and known.origin != entry.origin and known.load() is not entry.load():
            raise BenchError(
                f"{entry.origin}: the {entry.kind} name {entry.name!r} is taken by {known.origin}."
                " Give it another name."
            )
        self._entries[entry.kind][entry.name] = entry

    def names(self, kind: PluginKind) -> list[str]:
        """Known names of a kind, sorted."""
        return sorted(self._entries[kind])

    def entry(self, kind: PluginKind, name: str) -> Entry:
        """The entry of a bare name, or an error that names the nearest one."""
        if name not in self._entries[kind]:
            hint = " A task of your own is named by its file, which ends in .toml." if kind == "dataset" else ""
            what = "task" if kind == "dataset" else kind
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
        cls = self.find(kind, name)
        known = signature_of(cls)
        if kind == "model":
            clash = set(known) & set(ENGINE_PARAMETERS)
            if clash:
                raise BenchError(f"{name}: the parameter {clash.pop()!r} is the engine's own. Give it another name.")
            known |= {key: (hint, "rank") for key, hint in ENGINE_PARAMETERS.items()}
        values: dict[str, Any] = {}
        for key, raw in given.items():
            if key not in known:
                raise BenchError(f"{name} has no parameter {key!r}.{nearest(key, known)}")
            values[key] = convert(raw, known[key][0], f"the {key!r} parameter of {name}")
        parameters = {key: values.get(key, default) for key, (_, default) in known.items()}
        missing = [key for key, value in parameters.items() if value is inspect.Parameter.empty]
        if missing:
            raise BenchError(f"{name} needs {missing[0]!r}: write {name}[{missing[0]}=...].")
        normal = normal_name(cls, parameters)
        target = parameters.pop("target", "rank") if kind == "model" else "rank"
        try:
            cls(**parameters)
        except BenchError:
            raise
        except ValueError as error:
            raise BenchError(f"{normal}: {error or 'ValueError'}") from error
        except (Exception, SystemExit) as error:
            raise BenchError(f"{normal}: cannot be made: {type(error).__name__}: {error}") from error
        return Made(kind, normal, cls, parameters, target)


def is_built_in(cls: type) -> bool:
    """Whether a plugin class is this package's own."""
    return cls.__module__ in _own_modules()


@functools.cache
def _own_modules() -> frozenset[str]:
    """Modules that the entry points of this package name."""
    return frozenset(
        point.value.partition(":")[0]
        for group in GROUPS.values()
        for point in importlib.metadata.entry_points(group=group)
        if point.dist is not None and point.dist.name == DISTRIBUTION
    )


def _is_clone(folder: Path) -> bool:
    """Whether a folder is a clone of this package (or its unpacked sdist): its built-in files are not third-party
    plugins where the package that runs is installed elsewhere, as from a wheel."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("project")
    except (OSError, ValueError):
        return False
    return isinstance(project, dict) and project.get("name") == DISTRIBUTION


# ---- parameters ----------------------------------------------------------------------------------------------------
def signature_of(cls: type) -> dict[str, tuple[Any, Any]]:
    """Parameter -> (type, default) of a plugin's ``__init__``, in order. Without an annotation the default decides the
    type; a default has its parameter's type (1 for a float is 1.0), so that naming a default changes nothing."""
    try:
        hints = typing.get_type_hints(cls.__init__)  # type: ignore[misc]
    except (NameError, TypeError) as error:
        raise BenchError(
            f"the annotations of {cls.__name__}.__init__ cannot be read: {error}."
            " Import their names where it is defined."
        ) from error
    known: dict[str, tuple[Any, Any]] = {}
    for p in inspect.signature(cls).parameters.values():
        if p.kind not in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
            continue
        guess = str if p.default is p.empty or p.default is None else type(p.default)
        hint = hints.get(p.name, guess)
        is_whole = isinstance(p.default, int) and not isinstance(p.default, bool)
        known[p.name] = (hint, float(p.default) if hint is float and is_whole else p.default)
    return known


def normal_name(cls: Any, parameters: Mapping[str, Any]) -> str:
    """The name of a plugin with parameters: those that differ from their defaults, and those it always shows, in the
    order of its signature. Parameters of the engine come last."""
    defaults = {key: default for key, (_, default) in signature_of(cls).items()}
    defaults |= dict.fromkeys(ENGINE_PARAMETERS, "rank")
    shown = {
        key: to_text(parameters[key])
        for key, default in defaults.items()
        if key in parameters and (key in getattr(cls, "shown", ()) or parameters[key] != default)
    }
    return format_name(cls.name, shown)


def convert(text: str, hint: Any, what: str) -> Any:
    """``text`` as the type of a hint: int, float, bool, str, a Literal, or a union of these, tried in order.

    Raises
    ------
    BenchError : where it is none of them. ``what`` names the parameter in the message.
    """
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        if text.lower() == "none" and len(options) < len(typing.get_args(hint)):
            return None
        for option in options[:-1]:
            with contextlib.suppress(BenchError):
                return convert(text, option, what)
        return convert(text, options[-1], what)
    if origin is Literal:
        choices = {to_text(choice): choice for choice in typing.get_args(hint)}
        if text not in choices:
            raise BenchError(f"{what} must be one of {', '.join(choices)}. Got {text!r}.")
        return choices[text]
    if hint is bool:
        flags = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if text.lower() not in flags:
            raise BenchError(f"{what} must be true or false. Got {text!r}.")
        return flags[text.lower()]
    try:
        if hint is int:
            return int(text)
        if hint is float:
            value = float(text)
            if not math.isfinite(value):
                raise ValueError
            return value
    except ValueError:
        kind = "a whole number" if hint is int else "a finite number"
        raise BenchError(f"{what} must be {kind}. Got {text!r}.") from None
    return text


def to_text(value: Any) -> str:
    """A parameter's value as it is written in a name."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        short = format(value, "g")
        return short if float(short) == value else repr(value)
    return str(value)


def expand_sweep(text: str) -> list[str]:
    """``kmers[k=3..6]`` -> one name a whole number; several sweeps in one name give every combination."""
    name, given = parse_name(text)
    choices: list[list[str]] = []
    for key, raw in given.items():
        match = re.fullmatch(r"(-?\d{1,9})\.\.(-?\d{1,9})", raw, re.ASCII)
        if match is None:
            choices.append([raw])
            continue
        first, last = int(match[1]), int(match[2])
        if last < first or last - first >= MOST_SWEPT:
            raise BenchError(
                f"the sweep {key}={raw} of {name} must go up, over at most {MOST_SWEPT} values. Write {key}=3..6."
            )
        choices.append([str(value) for value in range(first, last + 1)])
    if math.prod(map(len, choices)) > MOST_SWEPT:
        raise BenchError(f"{text!r}: its sweeps must give at most {MOST_SWEPT} combinations. Write fewer values.")
    return [format_name(name, dict(zip(given, values, strict=True))) for values in itertools.product(*choices)]


# ---- files ---------------------------------------------------------------------------------------------------------
def load_file(path: str | os.PathLike[str]) -> types.ModuleType:
    """Import a Python file under a name that its whole path decides, so two files of one name never collide."""
    file = Path(path).resolve()
    if not file.is_file():
        raise BenchError(f"{path}: no such plugin file.")
    if file.suffix != ".py":
        raise BenchError(f"{path}: is not a Python file (its name must end in .py).")
    for room in ("featurizers", "models"):
        package = importlib.import_module(f"bench.{room}")
        if any(Path(place).resolve() == file.parent for place in package.__path__):
            return _import_file(f"bench.{room}.{file.stem}", path)
    return _import_file(module_name(file), path)


def _import_file(name: str, path: str | os.PathLike[str]) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise BenchError(f"{path}: cannot be imported: {type(error).__name__}: {error}") from error


def classes_in_file(path: str | os.PathLike[str]) -> list[type]:
    """Every plugin class that a Python file defines.

    Raises
    ------
    BenchError : for a file that cannot be imported or defines none.
    """
    classes = plugin_classes(load_file(path))
    if not classes:
        raise BenchError(
            f"{path}: defines no plugin. Write a class that derives from bench.Featurizer or bench.Model and sets"
            " 'name'."
        )
    return classes


def _defines_plugin(path: Path) -> bool:
    """Whether a file imports bench and has a derived class with a literal ``name``; read as text, nothing is run. A
    folder called ``models`` may well hold other people's files."""
    try:
        text = path.read_bytes()
        tree = ast.parse(text)
    except OSError:
        return False
    except (SyntaxError, ValueError):
        return re.search(rb"^\s*(from|import) bench\b", text, re.MULTILINE) is not None  # the import says what is wrong
    imports = {name.partition(".")[0] for node in ast.walk(tree) for name in _imported(node, "")}
    return "bench" in imports and any(
        isinstance(statement, ast.Assign | ast.AnnAssign)
        and isinstance(statement.value, ast.Constant)
        and any(
            isinstance(target, ast.Name) and target.id == "name"
            for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        )
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.bases
        for statement in node.body
    )


def plugin_classes(module: types.ModuleType) -> list[type]:
    """Plugin classes that a module defines itself (not those it imports), in the order of their text."""
    bases = tuple(_bases().values())
    return [
        cls
        for cls in vars(module).values()
        if isinstance(cls, type)
        and issubclass(cls, bases)
        and cls not in bases
        and cls.__module__ == module.__name__
        and "name" in vars(cls)
    ]


def _bases() -> dict[PluginKind, type]:
    from bench.dataset import Dataset
    from bench.featurizer import Featurizer
    from bench.model import Model

    return {"featurizer": Featurizer, "model": Model, "dataset": Dataset}


def kind_of(cls: type) -> PluginKind:
    """Which kind of plugin a class is."""
    for kind, base in _bases().items():
        if issubclass(cls, base):
            return kind
    raise BenchError(f"{cls.__name__} is no plugin: derive it from bench.Featurizer or bench.Model.")


def plugin_name(cls: type) -> str:
    """The declared name of a plugin class, checked."""
    name = getattr(cls, "name", None)
    if not isinstance(name, str) or not NAME_PATTERN.match(name):
        raise BenchError(f"the 'name' of {cls.__name__} must be lower-case letters, digits and dashes. Got {name!r}.")
    return name


def _checked_loader(kind: PluginKind, name: str, load: Callable[[], Any]) -> Callable[[], type]:
    def checked() -> type:
        try:
            cls = load()
        except (Exception, SystemExit) as error:
            raise BenchError(f"the {kind} {name!r} cannot be imported: {type(error).__name__}: {error}") from error
        if not (isinstance(cls, type) and issubclass(cls, _bases()[kind])):
            raise BenchError(
                f"the entry point {name!r} must be a class derived from {_bases()[kind].__name__}. Got {cls!r}."
            )
        if cls.__dict__.get("name") != name:
            raise BenchError(f"the entry point {name!r} points to a class named {getattr(cls, 'name', None)!r}.")
        return cls

    return checked


# ---- what a plugin is made of --------------------------------------------------------------------------------------
def source_digest(cls: type) -> str:
    """Hash of the code a plugin runs: its module and the modules it imports from its own package, from the built-in
    plugins or from ``bench.kernels``. Comments, docstrings, blank lines and formatting do not count."""
    seen: dict[str, str] = {}
    _collect(Path(inspect.getfile(cls)), cls.__module__, seen)
    return hashlib.sha256("\n".join(sorted(seen.values())).encode()).hexdigest()[:16]


def _collect(path: Path, module: str, seen: dict[str, str]) -> None:
    if str(path) in seen:
        return
    tree = ast.parse(path.read_bytes())
    # Read first: to drop docstrings changes the tree. Unparsed, as a dump differs between versions of Python.
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    imported = sorted({name for node in ast.walk(tree) for name in _imported(node, package)})
    seen[str(path)] = ast.unparse(_without_docstrings(tree))
    own = module.partition(".")[0]
    for name in imported:
        if not name.startswith(_OWN_CODE if own == "bench" else (f"{own}.", *_OWN_CODE)):
            continue
        parent = _spec(name.rpartition(".")[0])
        if parent is None or parent.submodule_search_locations is None:
            continue  # what a module holds, not a module: to look for it would import the module
        spec = _spec(name)
        if spec is not None and spec.origin is not None and spec.origin.endswith(".py"):
            _collect(Path(spec.origin), name, seen)


#: Modules of this package whose code is part of the plugins that import them.
_OWN_CODE = ("bench.kernels", "bench.featurizers.", "bench.models.")


def _spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):
        return None


def _imported(node: ast.AST, package: str) -> list[str]:
    """Full names that an import statement in a package may bring in: modules, and what they may hold."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    above = package.split(".")
    home = ".".join(above[: len(above) - node.level + 1]) if node.level else ""
    home = ".".join(piece for piece in (home, node.module) if piece)
    return [home, *(f"{home}.{alias.name}" for alias in node.names)]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return tree
