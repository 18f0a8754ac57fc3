"""Imports run one way: packages in rows, none from a higher row, no circle between packages, no plugin by its name.

Read from the source, so that an import inside a function or under ``TYPE_CHECKING`` counts as any other.
"""

from __future__ import annotations

import ast
import graphlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import bench

#: Highest row first. A package may import from its own row and from lower ones.
ROWS = (
    {"cli", "__main__"},
    {"report", "run", "checks", "selftest"},
    {"explain"},
    {"board", "audit", "store", "fit"},
    {
        "tasks",
        "dataset",
        "datasets",
        "plugins",
        "featurizers",
        "models",
    },  # dataset: the contract, whose words are of tasks
    {"stats", "kernels", "motifs", "files", "sequences", "featurizer", "model", "names", "errors"},
)
#: Known by name to nobody but themselves: the engine gets them through ``bench.plugins``.
PLUGINS = ("featurizers", "models")


def row(package: str) -> int:
    """The row of a package, 0 the highest."""
    return next(number for number, packages in enumerate(ROWS) if package in packages)


def arrows(home: Path) -> Iterator[tuple[str, str, str]]:
    """(importing package, imported package, file and line) of every import between packages of ``bench``."""
    for folder in (home, *(home / name for name in PLUGINS)):  # rglob does not follow links
        for path in sorted(folder.rglob("*.py")):
            inside = path.relative_to(home)
            source = inside.parts[0].removesuffix(".py")
            if source == "__init__" or "templates" in inside.parts:  # what is public comes from everywhere
                continue
            package = ("bench", *inside.parts[:-1])
            for node in ast.walk(ast.parse(path.read_bytes())):
                for name in imported(node, package):
                    target = name.split(".")[1]
                    if target != source:
                        yield source, target, f"bench/{inside.as_posix()}:{node.lineno}"  # type: ignore[attr-defined]


def imported(node: ast.AST, package: tuple[str, ...]) -> list[str]:
    """Full names of what an import statement brings in from ``bench.`` something."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        above = package[: len(package) - node.level + 1] if node.level else ()
        home = ".".join((*above, *([node.module] if node.module else [])))
        names = [f"bench.{alias.name}" for alias in node.names] if home == "bench" else [home]
    return [name for name in names if name.startswith("bench.") and name.split(".")[1] in set().union(*ROWS)]


def upward(home: Path) -> list[str]:
    """Imports from a higher row."""
    return sorted({f"{where}: {a} -> {b}" for a, b, where in arrows(home) if row(b) < row(a)})


def circle(home: Path) -> list[str]:
    """Packages that import one another in a circle, with where; empty without one."""
    found = list(arrows(home))
    below: dict[str, set[str]] = {}
    for a, b, _ in found:
        below.setdefault(a, set()).add(b)
    try:
        graphlib.TopologicalSorter(below).prepare()
    except graphlib.CycleError as error:
        around = error.args[1][::-1]
        return [
            next(f"{where}: {a} -> {b}" for a, b, where in found if (a, b) == step)
            for step in itertools.pairwise(around)
        ]
    return []


HOME = Path(bench.__file__).parent


def test_every_package_has_a_row():
    names = {path.name.removesuffix(".py") for path in HOME.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert names - set().union(*ROWS) <= {"__init__", "__pycache__", "_version"}


def test_no_import_from_a_higher_row():
    assert upward(HOME) == []


def test_no_circle_between_packages():
    assert circle(HOME) == []


def test_the_engine_knows_no_plugin_by_name():
    known = {f"{where}: {a} -> {b}" for a, b, where in arrows(HOME) if b in PLUGINS and a not in PLUGINS}
    assert known == set()


def test_plugins_import_no_part_of_the_engine_that_fits_or_keeps():
    above = {
        f"{where}: {a} -> {b}"
        for a, b, where in arrows(HOME)
        if a in PLUGINS and b not in PLUGINS and row(b) < len(ROWS) - 1
    }
    assert above == set()


def test_what_breaks_the_rules_is_found(tmp_path):
    for name, text in {
        "stats/ranks.py": "def f():\n    from bench.store import store\n",
        "store/store.py": "import bench.fit.fit",
        "fit/fit.py": "from ..store.store import x",
        "models/mine.py": "from bench import stats",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert upward(tmp_path) == ["bench/stats/ranks.py:2: stats -> store"]
    assert sorted(circle(tmp_path)) == ["bench/fit/fit.py:1: fit -> store", "bench/store/store.py:1: store -> fit"]
    assert ("models", "stats", "bench/models/mine.py:1") in set(arrows(tmp_path))
