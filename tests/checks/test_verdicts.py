"""`bench check` outlives what it checks."""

import re

import pytest
from typer.testing import CliRunner

from bench.cli.main import app

SOURCE = """
import os, sys, time
import numpy as np
from bench import Featurizer


class Bad(Featurizer):
    name = "bad"

    def transform(self, sequences):
        BODY


class Good(Featurizer):
    name = "good"

    def transform(self, sequences):
        return sequences.lengths[:, None].astype(np.float32)
"""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("os.kill(os.getpid(), 11)", "bad must let its process live. Got a process killed by SIGSEGV."),
        ("os._exit(3)", "bad must let its process live. Got a process that ended with status 3."),
        (
            "os.write(2, b'oh no'); os._exit(3)",
            "bad must let its process live. Got a process that ended with status 3. Its last words: oh no",
        ),
        ("sys.exit(0)", "bad must pass 'shape' without an error. Got SystemExit: 0"),
    ],
)
def test_a_crash_is_a_failed_check_and_the_next_plugin_is_checked(tmp_path, body, said):
    (tmp_path / "mine.py").write_text(SOURCE.replace("BODY", body))
    done = CliRunner().invoke(app, ["check", str(tmp_path / "mine.py"), "--timeout", "500"])
    assert done.exit_code == 1
    assert f"FAIL  shape             {said}" in done.output
    good = done.output.partition("featurizer good")[2]
    assert re.search(r"(\d+) of \1 checks passed", good)


def test_a_check_without_an_end_is_given_up(tmp_path):
    """Which check that is depends on how fast the machine is, so none is named, and no other plugin is timed."""
    (tmp_path / "mine.py").write_text(SOURCE.replace("BODY", "time.sleep(600)").partition("class Good")[0])
    done = CliRunner().invoke(app, ["check", str(tmp_path / "mine.py"), "--timeout", "5"])
    assert done.exit_code == 1
    assert re.search(r"FAIL  \S+ +bad must pass a check within 5 s\. Got no answer\.", done.output)
