"""What may import what: packages in their order, plugins from ``bench`` alone, heavy libraries where they are used."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

#: Seconds each to import: ``bench --help`` and the calls below answer before any of them is needed.
HEAVY = ("pandas", "sklearn", "matplotlib", "numba", "tensorflow")
MODULES = f"import sys; loaded = [name for name in {HEAVY} if name in sys.modules]; sys.exit(', '.join(loaded) or 0)"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["report", "--help"]])
def test_help_imports_no_heavy_library(arguments):
    code = f"""
import contextlib, io, sys
sys.argv = ["bench", *{arguments}]
from bench.cli.main import main
with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
    main()
assert printed.getvalue()
{MODULES}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, f"bench {' '.join(arguments)} imports {done.stderr}"


@pytest.mark.parametrize("library", HEAVY)
def test_the_check_sees_a_heavy_library(library):
    """The check above would fail: the same code, with a module of that name in place."""
    code = f"import sys, types\nsys.modules[{library!r}] = types.ModuleType({library!r})\n{MODULES}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == library


def test_threads_that_wait_for_each_other_sleep_soon():
    """Every copy of GNU OpenMP says how it was set up when it is loaded; LightGBM, XGBoost and scikit-learn bring or
    load one each. One that spins takes a busy machine several times the time, one that sleeps at once an idle one."""
    code = (
        "import bench.models.lightgbm, bench.models.xgboost, bench.models.random_forest; import bench.kernels.gc;"
        "import lightgbm, xgboost, sklearn.ensemble"
    )
    own = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}
    for given, least, most in (
        ({}, 1000, 1000),
        ({"OMP_WAIT_POLICY": "active"}, 10**6, 10**12),
        ({"OMP_WAIT_POLICY": "passive"}, 0, 0),
        ({"GOMP_SPINCOUNT": "7"}, 7, 7),
    ):
        variables = {key: value for key, value in os.environ.items() if key not in own} | given
        done = subprocess.run(
            [sys.executable, "-c", code], env=variables | {"OMP_DISPLAY_ENV": "verbose"}, capture_output=True, text=True
        )
        said = re.findall(r"GOMP_SPINCOUNT = '(\d+)'", done.stderr)
        assert done.returncode == 0, done.stderr
        assert all(least <= int(count) <= most for count in said), (given, said)
        assert said or sys.platform != "linux"


ROOT = Path(__file__).resolve().parents[1]
#: Folders of programs that no test imports, so that a name that has moved away is seen here and not by who runs them.
PROGRAMS = [
    path for name in ("benchmarks", "scripts", "tests/support", "examples") for path in (ROOT / name).rglob("*.py")
]


def missing_names(text: str) -> Iterator[str]:
    """What a program imports from ``bench`` that is not there, inside functions too; names that it is ready to miss
    (``except ImportError``) aside."""
    tree = ast.parse(text)
    ready = {
        id(node)
        for attempt in ast.walk(tree)
        if isinstance(attempt, ast.Try) and any("ImportError" in ast.dump(one) for one in attempt.handlers)
        for node in ast.walk(attempt)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bench" and id(node) not in ready:
            module = importlib.import_module(str(node.module))
            for name in (one.name for one in node.names):
                if not hasattr(module, name) and not has_module(f"{node.module}.{name}"):
                    yield f"line {node.lineno}: {node.module}.{name}"


def has_module(name: str) -> bool:
    """Whether there is a module of this name."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is no package
        return False


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_programs_import_what_there_is(program):
    assert not list(missing_names(program.read_text(encoding="utf-8")))


def test_a_name_that_has_moved_away_is_seen():
    text = """
def f():
    from bench.stats.bootstrap import Draws, estimate
try:
    from bench.stats.bootstrap import long_gone
except ImportError:
    from bench.stats.bootstrap import gone_too
from bench.stats import bootstrap
"""
    assert list(missing_names(text)) == ["line 3: bench.stats.bootstrap.estimate"]
