"""The command line as a person meets it: what it imports, prints, refuses, and its exit status."""

import gzip
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from Bio import bgzf
from calls import call
from small_tasks import write_small_task

from bench.files.toml import validated
from bench.tasks.spec import TaskFile

HEAVY = {"pandas", "sklearn", "matplotlib", "numba", "tensorflow", "keras", "scipy", "pyarrow", "xgboost", "lightgbm"}
ROOT = Path(__file__).parents[2]
TASK_FILE = "docs/task-file.md"


def test_help_imports_nothing_heavy():
    code = f"""
import sys
sys.argv = ["bench", "--help"]
from bench.cli.main import main
try:
    main()
except SystemExit as stop:
    assert not stop.code
print("heavy:", sorted(set(sys.modules) & {HEAVY!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("heavy: []")


@pytest.mark.parametrize("verb", ["run", "report", "list", "doctor", "data"])
def test_every_verb_explains_itself(verb):
    status, printed, _ = call(verb, "--help")
    assert status == 0
    assert "Usage" in printed


def test_run_writes_a_board_and_then_reuses_it(tmp_path, small_task):
    out = tmp_path / "out"
    words = ("run", "-t", small_task, "-f", "gc", "-m", "ridge", "-m", "mean", "-o", out)
    status, printed, _ = call(*words)
    assert status == 0, printed
    assert "2 fits done, 0 reused" in printed
    assert "leaderboard.md" in printed
    assert "`gc` + `ridge`" in (out / "leaderboard.md").read_text()
    status, printed, _ = call(*words)
    assert status == 0
    assert "nothing to fit, 2 results reused" in printed
    status, printed, _ = call(*words, "--cache", "refresh")
    assert "2 fits done" in printed


def test_cache_only_fits_nothing(tmp_path, small_task):
    status, printed, error = call(
        "run", "-t", small_task, "-f", "gc", "-m", "ridge", "-o", tmp_path / "out", "--cache", "only"
    )
    assert status == 1
    assert "1 result is absent" in printed
    assert "no results there" in str(error)
    assert not (tmp_path / "out").exists()


def test_dry_run_writes_nothing(tmp_path, small_task):
    status, printed, _ = call("run", "-t", small_task, "-f", "gc", "-m", "ridge", "-o", tmp_path / "out", "--dry-run")
    assert status == 0
    assert "gc + ridge" in printed
    assert not (tmp_path / "out").exists()


def test_skipped_pairs_are_one_line_and_their_reasons_are_there_to_read(tmp_path, small_task):
    out = tmp_path / "out"
    words = ("run", "-t", small_task, "-o", out, "--cache", "only")
    _, printed, _ = call(*words)
    [line] = [line for line in printed.splitlines() if "skipped" in line]
    pairs, alone = map(int, re.match(r"skipped (\d+) pairs and (\d) featurizer", line).groups())
    assert line == (
        f"skipped {pairs} pairs and {alone} featurizers that make no sense here (--verbose lists them with reasons)"
    )
    assert pairs > 6
    assert alone == 3
    _, printed, _ = call(*words, "--verbose")
    lines = [line for line in printed.splitlines() if line.startswith("skipped ")]
    assert len(lines) == pairs + alone
    assert "skipped small · barcodes: the task has no barcodes" in lines
    assert any(line.startswith("skipped small · motifs: the task names no organism") for line in lines)
    _, printed, _ = call(*words, "--dry-run")
    assert [line for line in printed.splitlines() if "skipped" in line] == [line]


def test_the_few_pairs_that_were_asked_for_by_name_are_said_with_their_reasons(tmp_path, small_task):
    words = ("run", "-t", small_task, "-f", "gc", "-f", "barcodes", "-m", "cnn", "-m", "ridge", "-o", tmp_path / "out")
    status, printed, _ = call(*words)
    assert status == 0, printed
    lines = [line for line in printed.splitlines() if line.startswith("skipped")]
    assert lines[0].startswith("skipped small · gc + cnn: cnn")
    assert lines[1] == "skipped small · barcodes: the task has no barcodes"
    assert len(lines) == 2


def test_report_needs_neither_plugin_nor_data(tmp_path, small_task):
    out = tmp_path / "out"
    call("run", "-t", small_task, "-f", "gc", "-m", "ridge", "-o", out)
    before = (out / "leaderboard.md").read_text()
    small_task.unlink()
    small_task.with_suffix(".tsv").unlink()
    (out / "leaderboard.md").unlink()
    status, printed, _ = call("report", "-o", out)
    assert status == 0, printed
    assert (out / "leaderboard.md").read_text() == before


def test_list_shows_every_built_in():
    status, printed, _ = call("list")
    assert status == 0
    for name in ("fly-promoters", "klein2020", "gc-windows", "kmers", "one-hot", "gc-curve", "lightgbm", "cnn"):
        assert name in printed


def test_doctor_finds_what_the_tests_stand_on():
    status, printed, _ = call("doctor")
    assert status == 0, printed
    assert "CPU threads" in printed


# ---- the README ------------------------------------------------------------------------------------------------------
def blocks(language: str, page: str = "README.md") -> list[str]:
    """Code blocks of the README, or another page, in one language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_the_readmes_featurizer_is_short_and_runs(tmp_path, small_task):
    [code] = [block for block in blocks("python") if "Featurizer" in block]
    body = code[code.index("class ") :].strip().split("\n")
    assert len(body) <= 15
    plugin = tmp_path / "gc_skew.py"
    plugin.write_text(code)
    status, printed, _ = call(
        "run", "-t", small_task, "-f", "gc-skew", "-f", "gc", "-m", "ridge", "-o", tmp_path / "out", "--plugin", plugin
    )
    assert status == 0, printed
    assert "`gc-skew` + `ridge`" in (tmp_path / "out" / "leaderboard.md").read_text()


def test_the_readmes_task_file_is_complete(tmp_path):
    [toml] = [block for block in blocks("toml") if "my_assay.tsv" in block]
    task = write_small_task(tmp_path, name="my_assay")
    table = tmp_path / "my_assay.tsv"
    lines = [line.split("\t") for line in table.read_text().strip().split("\n")]
    rename = {"y0_1": "rep1", "y0_2": "rep2"}
    lines[0] = [rename.get(name, name) for name in lines[0]] + ["rep3"]
    for line in lines[1:]:
        line.append(line[lines[0].index("rep1")])
    table.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    task.write_text(toml)
    status, printed, _ = call("run", "-t", task, "-f", "gc", "-m", "ridge", "-o", tmp_path / "out")
    assert status == 0, printed
    assert "HepG2" in (tmp_path / "out" / "leaderboard.md").read_text()


def test_every_task_file_of_the_pages_is_valid():
    whole = [block for page in ("README.md", TASK_FILE) for block in blocks("toml", page) if "table = " in block]
    assert len(whole) >= 5
    for block in whole:
        validated(TaskFile, tomllib.loads(block), block)


def test_a_bed_file_of_the_page_is_complete(tmp_path):
    [toml] = [block for block in blocks("toml", TASK_FILE) if "my_peaks.bed.gz" in block]
    rng = np.random.default_rng(0)
    labels = ["chr1", "chr8", "chr18"]
    genome = {label: "".join(rng.choice(list("ACGT"), 20_000)) for label in labels}
    with bgzf.BgzfWriter(str(tmp_path / "hg38.fa.gz"), "wb") as out:
        out.write("".join(f">{label}\n{bases}\n" for label, bases in genome.items()).encode())
    lines = ["# a comment"]
    for i in range(240):
        label, start = labels[i % 3], 80 * i
        gc = sum(genome[label][start : start + 60].count(base) for base in "GC")
        values = gc + rng.normal(0, 2, 2)
        fields = [label, start, start + 60, f"e{i}", 0, "+-"[i % 2], *values.round(3)]
        lines.append("\t".join(map(str, fields)))
    with gzip.open(tmp_path / "my_peaks.bed.gz", "wt") as out:
        out.write("\n".join(lines) + "\n")
    (tmp_path / "my_peaks.toml").write_text(toml)
    status, printed, _ = call(
        "run", "-t", tmp_path / "my_peaks.toml", "-f", "gc", "-m", "ridge", "-o", tmp_path / "out"
    )
    assert status == 0, printed
    assert "my-peaks: 240 rows" in printed


def test_an_igvf_file_of_the_page_is_complete(tmp_path):
    [toml] = [block for block in blocks("toml", TASK_FILE) if "my-igvf" in block]
    rng = np.random.default_rng(0)
    oligos = ["".join(rng.choice(list("ACGT"), 50)) for _ in range(60)]
    (tmp_path / "design.fa").write_text("".join(f">o{i}\n{bases}\n" for i, bases in enumerate(oligos)))
    lines = ["replicate\toligo_name\tdna_counts\tlog2FoldChange\tn_bc"]
    lines += [f"{r}\to{i}\t50\t{rng.normal():.3f}\t{9 + i % 10}" for r in (1, 2) for i in range(60)]
    with gzip.open(tmp_path / "reporter_experiment.tsv.gz", "wt") as out:
        out.write("\n".join(lines) + "\n")
    (tmp_path / "my_igvf.toml").write_text(toml)
    status, printed, _ = call("run", "-t", tmp_path / "my_igvf.toml", "-f", "gc", "-m", "ridge", "-o", tmp_path / "out")
    assert status == 0, printed
    assert "my-igvf: 54 rows" in printed


def test_the_readmes_commands_exist():
    verbs = set(re.findall(r"^(?:\| `)?bench ([a-z]+)", "\n".join(blocks("sh")), re.MULTILINE))
    for verb in verbs:
        status, _, _ = call(verb, "--help")
        assert status == 0, verb
