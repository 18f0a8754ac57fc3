"""What may import what: packages in their order, plugins from ``bench`` alone, heavy libraries where they are used."""

from __future__ import annotations

import os
import re
import subprocess
import sys

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
