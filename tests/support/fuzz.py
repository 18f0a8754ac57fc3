"""Fuzzing of everything a person hands over: task files, tables, FASTA, parameters, predictions, settings, the store.

Each surface has a function that takes one input. It may refuse the input with a `BenchError` of one printable line;
any other error, any warning, and a path outside the output folder is a finding. `test_fuzz.py` runs a few hundred
inputs of each; a long run is

    python tests/support/fuzz.py --examples 14000 [--only tables] [--seed 1]

which prints, a surface, how many inputs it tried, how many were accepted and how many refused.
"""

from __future__ import annotations

import argparse
import collections
import copy
import functools
import gzip
import json
import shutil
import tempfile
import time
import tomllib
import warnings
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import traits
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from stored import description

from bench.errors import BenchError
from bench.plugins.parameters import expand_sweep
from bench.plugins.registry import Registry
from bench.plugins.settings import plugin_files
from bench.report import write_board
from bench.report.plots import Links
from bench.store.clean import leftovers
from bench.store.external import place_predictions, read_predictions_table, score_predictions
from bench.store.merge import merge, plan_merge
from bench.store.record import SkipRecord
from bench.store.result import ResultId
from bench.store.store import Store
from bench.tasks.folds import make_folds
from bench.tasks.splits import Split
from bench.tasks.task_file import load_task_file

# ---- material --------------------------------------------------------------------------------------------------------
#: What stands in real files and breaks readers: kept short, so that a few edits meet.
PIECES = [
    "", " ", "\t", "\n", "\r", "\r\n", "\0", '"', "'", ",", ";", "=", "[", "]", "{", "}", "#", ">", "|", "..", "../..",
    "/etc/passwd", "\\", "-", "-1", "0", "1e400", "nan", "inf", "-inf", "NA", "None", "true", "9" * 30, "0x10", "1_000",
    "٣", "é", "Ω", "😀", "\u202e", "\ufeff", "\x1b[31m", "<script>", "`", "${x}", "%s", "id", "sequence", "chr1",
    "chr9", "ACGT", "acgtn", "RYK", "rep1", "k=3", "3..6", "holdout", "kmers", "a" * 300,
]  # fmt: skip
EDITS = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from(["insert", "replace", "delete", "cut", "repeat", "swap"]),
        st.sampled_from(PIECES) | st.text(max_size=6),
        st.integers(1, 40),
    ),
    max_size=4,
)


def edited(text: str, edits: list[tuple[float, str, str, int]]) -> str:
    """A text after edits at places given as shares of its length."""
    for place, how, piece, size in edits:
        at = int(place * len(text))
        match how:
            case "insert":
                text = text[:at] + piece + text[at:]
            case "replace":
                text = text[:at] + piece + text[at + size :]
            case "delete":
                text = text[:at] + text[at + size :]
            case "cut":
                text = text[:at]
            case "repeat":
                text = text[: at + size] + text[at:]
            case "swap":
                lines = text.split("\n")
                i, j = at % len(lines), size % len(lines)
                lines[i], lines[j] = lines[j], lines[i]
                text = "\n".join(lines)
        text = text[:20_000]
    return text


def rows(n: int = 24) -> list[list[str]]:
    """A small sound table: eight columns, six chromosomes, two replicates."""
    table = [["id", "sequence", "chrom", "start", "end", "strand", "dna", "rep1", "rep2", "class"]]
    for i in range(n):
        bases = "ACGT"[i % 4] * 3 + "GATTACA"[: 1 + i % 7] + "CGCG" * (i % 3)
        value = str(round(0.1 * i * (-1) ** i, 2))
        table.append(
            [f"r{i}", bases, f"chr{1 + i % 6}", str(4 * i), str(4 * i + 20), "+-"[i % 2], str(10 + i), value,
             value + "1", "ab"[i % 2]]
        )  # fmt: skip
    return table


def tsv(sep: str = "\t") -> str:
    return "\n".join(sep.join(row) for row in rows()) + "\n"


TASK = """name = "small"
title = "A title"
note = "A note"
table = "table.tsv"
split = "chromosome-kfold[k=3]"
orientation = "free"
[targets.y]
replicates = ["rep1", "rep2"]
kind = "regression"
[columns]
sequence = "sequence"
strata = ["class"]
[columns.covariates]
dna_count = "dna"
[minimum]
dna_count = 10
"""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(PIECES) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PIECES, "y"]), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "name", "title", "assay", "organism", "genome", "citation", "licence", "orientation", "note", "targets", "columns",
    "split", "minimum", "table", "fasta", "format", "design", "tabel", "maximum", "rows", "coordinates", "duplicates",
    "circular", "skip_rows", "header", "sheet", "sequences",
]  # fmt: skip


def toml(value: object) -> str:
    """A value as TOML writes it; JSON's strings are TOML's, and None, which TOML lacks, is an empty string."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps("" if value is None else value, ensure_ascii=False)


@functools.cache
def workplace() -> Path:
    """A folder of small sound files, made once a process."""
    import atexit

    folder = Path(tempfile.mkdtemp(prefix="bench-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "table.tsv").write_text(tsv())
    (folder / "sound.toml").write_text(TASK)
    return folder


@functools.cache
def sound_task():
    return load_task_file(workplace() / "sound.toml")


@functools.cache
def registry() -> Registry:
    return Registry(folder=workplace())


def write(name: str, text: str | bytes) -> Path:
    path = workplace() / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return path


# ---- surfaces --------------------------------------------------------------------------------------------------------
def task_file(text: str) -> None:
    """A task file, its sound table beside it, and its folds."""
    make_folds(load_task_file(write("any.toml", text)))


def table(kind: str, text: str) -> None:
    """The table of a sound task file, as TSV, CSV, BED or gzipped; cut gzip as well."""
    content: str | bytes = text
    if kind.endswith(".gz"):
        packed = gzip.compress(text.encode("utf-8", "surrogatepass"), mtime=0)
        content = packed if len(text) % 3 else packed[: len(packed) // 2]
    write(f"any.{kind}", content)
    spec = TASK.replace("table.tsv", f"any.{kind}")
    if kind.startswith("bed"):
        spec = 'name = "b"\ntable = "any.bed"\nfasta = "sound.fa"\n[targets.y]\nreplicates = ["score"]\n'
    make_folds(load_task_file(write("of-table.toml", spec)))


@functools.cache
def clean_digest() -> str:
    return traits.clean_digest()


def lab_tables(names: set[str], number: int) -> None:
    """A clean table with traits of real files: the same task, or words."""
    folder = workplace() / "lab"
    folder.mkdir(exist_ok=True)
    traits.check(folder, names, number, clean_digest())


def fasta(text: str, index: str | None) -> None:
    """A genome to cut from, with its own index or one that was left beside it."""
    path = write("any.fa", text)
    beside = Path(f"{path}.fai")
    beside.unlink(missing_ok=True)
    if index is not None:
        write("any.fa.fai", index)
    spec = TASK.replace('sequence = "sequence"', "sequence = false").replace(
        "[targets.y]", 'fasta = "any.fa"\n[targets.y]'
    )
    make_folds(load_task_file(write("of-fasta.toml", spec)))


def design(text: str, counts: str) -> None:
    """The two files of an IGVF task."""
    write("any.fasta", text)
    write("counts.tsv", counts)
    spec = 'name = "i"\ntable = "counts.tsv"\nformat = "igvf-barcode"\ndesign = "any.fasta"\n'
    make_folds(load_task_file(write("igvf.toml", spec)), Split.parse("locus-kfold[k=3]"))


def parameters(text: str) -> None:
    """A name with parameters: of a featurizer, of a model, of a split."""
    refused = []
    for use in (
        lambda name: registry().make("featurizer", name),
        lambda name: registry().make("model", name),
        lambda name: make_folds(sound_task(), Split.parse(name)),
    ):
        try:
            for name in expand_sweep(text):
                use(name)
        except BenchError as error:
            refused.append(error)
    if len(refused) == 3:
        raise refused[0]


def predictions(kind: str, text: str) -> None:
    """A table for `bench score`."""
    path = write(f"any-predictions.{kind}", text)
    task = sound_task()
    place_predictions(read_predictions_table(path), task, make_folds(task), "y", str(path))


def settings_file(text: str) -> None:
    """A bench.toml."""
    plugin_files(write("bench.toml", text))


@functools.cache
def sound_store() -> Path:
    """A small folder of results: a task, three results, a failure, and a board."""
    task, folder = sound_task(), workplace() / "store"
    store, folds = Store(folder), make_folds(sound_task())
    store.write_task(task, np.linspace(0.2, 0.8, len(task), dtype=np.float32))
    store.write_folds("small", folds, {"exact": 1, "reverse_complement": 0, "test_rows": 9})
    skip = SkipRecord(task="small", featurizer="gc", model="cnn", reason="no signal", what="small · gc + cnn")
    store.write_skipped("small", [skip])
    path = write("sound-predictions.tsv", PREDICTIONS)
    for name in ("one", "two", "three"):
        score_predictions(store, task, folds, "y", path, name)
    store.write_failure(description(ResultId("small", "y", folds.name, "gc", "bad", 0)), "no luck", "why")
    with mock.patch("bench.report.plots.draw_pictures", return_value=(Links(), {})):
        write_board(folder)
    return folder


def store_file(which: int, edits: list[tuple[float, str, str, int]]) -> None:
    """One damaged file of a store: reading, merging and cleaning."""
    sound, folder = sound_store(), workplace() / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(workplace() / "merged", ignore_errors=True)
    shutil.copytree(sound, folder)
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".parquet", ".log"))
    file = files[which % len(files)]
    file.write_bytes(edited(file.read_bytes().decode("latin-1"), edits).encode("latin-1", "replace"))
    troubles: list[str] = []
    with mock.patch("bench.report.plots.draw_pictures", return_value=(Links(), {})):
        write_board(folder, troubles)
    assert all(line.isprintable() for line in troubles)
    leftovers(folder, failed=True, stale=True)
    list(Store(folder).unreadable())
    merge(plan_merge([folder, sound], workplace() / "merged"), workplace() / "merged")


# ---- inputs ----------------------------------------------------------------------------------------------------------
FASTA = "".join(f">chr{i} a description\n{'ACGTN' * 12}\n{'ggcc' * 15}\nAC\n" for i in range(1, 7))
INDEX = "".join(f"chr{i}\t122\t{20 + 145 * (i - 1)}\t60\t61\n" for i in range(1, 7))
BED = "".join(f"chr{1 + i % 6}\t{i}\t{i + 30}\tr{i}\t{i * 0.3}\t{'+-'[i % 2]}\n" for i in range(24))
DESIGN = "".join(f">o{i}\n{'ACGT'[i % 4] * (8 + i)}\n" for i in range(9))
COUNTS = "barcode\toligo_name\tdna_count_1\trna_count_1\tdna_count_2\trna_count_2\n" + "".join(
    f"b{i}\to{i % 9}\t{3 + i}\t{i}\t{'' if i % 5 else 4}\t{'' if i % 5 else i}\n" for i in range(36)
)
PREDICTIONS = "id\tprediction\n" + "".join(f"r{i}\t{0.1 * i:.2f}\n" for i in range(24))
NAMES = [
    "gc", "gc-windows", "kmers", "one-hot", "dinucleotides", "length", "ridge", "xgboost", "cnn", "lightgbm",
    "random-forest", "gc-curve", "mean", "holdout", "chromosome-kfold", "genome-blocks", "locus-kfold", "kmer",
]  # fmt: skip
#: Names of parameters: most of some plugin, some of none.
WORDS = [
    "k", "n", "width", "step", "exact", "canonical", "alpha", "rounds", "max_depth", "target", "arch", "valid", "test",
    "drop", "library", "kk",
]  # fmt: skip
OWN = {
    "kmers": ["k", "exact", "canonical"], "gc-windows": ["n", "width", "step"], "ridge": ["alpha", "target"],
    "xgboost": ["rounds", "max_depth", "target"], "holdout": ["valid", "test", "drop"],
    "chromosome-kfold": ["k", "drop"], "genome-blocks": ["k"], "locus-kfold": ["k"],
    "cnn": ["arch", "epochs", "target"],
}  # fmt: skip
WORTH = st.sampled_from([*PIECES, "1..5", "5..1", "0..999", "-3..3", "chr1+chr2", "raw", "rank", "2.5", "-0", "1e3"])
COUNTED = st.integers(-2, 12).map(str) | st.sampled_from(["true", "false", "chr1", "chr2+chr3", "raw", "2..4"])
TYPED = st.sampled_from(NAMES).flatmap(
    lambda name: st.builds(
        lambda pairs, close: f"{name}[{','.join(f'{k}={v}' for k, v in pairs)}{close}",
        st.lists(
            st.tuples(
                st.sampled_from(OWN.get(name, WORDS) * 3 + WORDS),
                COUNTED | WORTH | st.integers().map(str) | st.floats().map(repr),
            ),
            max_size=3,
        ),
        st.sampled_from(["]", "]", "]", "]", "", "]]"]),
    )
)
SOUND = tomllib.loads(TASK)
PATHS = [(key,) for key in KEYS] + [
    ("targets", "y"), ("targets", "z"), ("targets", "y", "replicates"), ("targets", "y", "kind"),
    ("targets", "y", "positive"), ("targets", "y", "threshold"),
    ("targets", "y", "halves"), ("columns", "covariates"), ("columns", "strata"), ("columns", "locus"),
    ("columns", "names"), ("columns", "control"), ("columns", "species"), ("columns", "end"), ("columns", "strand"),
    ("targets", "y", "minimum"), ("targets", "y", "minimum_replicates"), ("targets", "y", "rna"), ("maximum", "length"),
    ("rows", "class"), ("rows", "rep1"), ("duplicates",), ("coordinates",), ("circular",), ("skip_rows",),
    ("columns", "id"), ("columns", "chrom"), ("columns", "start"), ("columns", "sequence"),
    ("columns", "covariates", "dna_count"), ("minimum", "dna_count"), ("minimum", "rep1"),
]  # fmt: skip
FITTING = st.sampled_from(
    ["rep1", "dna", "class", "id", "chrom", "start", ["rep1"], ["rep2", "rep1"], ["dna", "class"], {"a": "dna"},
     "binary", "> 0", "quantile 0.8", "locus-kfold[k=3]", "genome-blocks[k=3]", "holdout[valid=chr1,test=chr2]",
     "table.tsv", 12, 1e9,
     False, True, "mean", "1-based", 2, "a", ["b"]]
)  # fmt: skip


def replaced(content: dict, changes: list[tuple[tuple[str, ...], object]]) -> str:
    """A sound task file with other values in places."""
    content = copy.deepcopy(content)
    for path, value in changes:
        place = content
        for key in path[:-1]:
            place = place.setdefault(key, {}) if isinstance(place, dict) else {}
        if isinstance(place, dict):
            place[path[-1]] = copy.deepcopy(value)  # the sampled value is used again
    return "\n".join(f"{key} = {toml(value)}" for key, value in content.items())


TOMLS = st.one_of(
    st.builds(edited, st.just(TASK), EDITS),
    st.builds(
        replaced,
        st.sampled_from([SOUND, SOUND, SOUND, {"name": "t", "table": "table.tsv"}]),
        st.lists(st.tuples(st.sampled_from(PATHS), FITTING | FITTING | VALUES), max_size=3),
    ),
)
TEXTS = {"tsv": tsv(), "tsv.gz": tsv(), "csv": tsv(","), "bed": BED}
TABLES = st.sampled_from(sorted(TEXTS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.builds(edited, st.just(TEXTS[kind]), EDITS))
)


def edits_of(text: str) -> st.SearchStrategy[str]:
    return st.builds(edited, st.just(text), EDITS)


#: Name -> (function, its arguments, share of the examples: slow surfaces get fewer).
SURFACES: dict[str, tuple[Callable[..., None], st.SearchStrategy[tuple], float]] = {
    "parameters": (parameters, st.tuples(TYPED | st.builds(edited, TYPED, EDITS) | st.text(max_size=30)), 2),
    "task files": (task_file, st.tuples(TOMLS), 2),
    "tables": (table, TABLES, 1),
    "lab tables": (
        lab_tables,
        st.tuples(st.sets(st.sampled_from(traits.NAMES), max_size=8), st.integers(0, 10**9)),
        0.75,
    ),
    "fasta": (fasta, st.tuples(edits_of(FASTA), st.none() | edits_of(INDEX)), 0.5),
    "designs": (design, st.tuples(edits_of(DESIGN), edits_of(COUNTS)), 0.25),
    "predictions": (
        predictions,
        st.tuples(st.sampled_from(["tsv", "csv", "txt.gz"]), edits_of(PREDICTIONS)),
        1,
    ),
    "store": (store_file, st.tuples(st.integers(0, 40), EDITS), 0.02),
    "settings": (settings_file, st.tuples(edits_of('[plugins]\nfiles = ["a.py", "b.py"]\n')), 0.5),
}


# ---- running ---------------------------------------------------------------------------------------------------------
def fuzz(name: str, examples: int, *, fixed_seed: int | None = None) -> collections.Counter[str]:
    """Try a surface. Returns how many inputs were accepted and refused.

    Raises
    ------
    Exception : the first finding, shrunk by hypothesis to a small input.
    """
    function, inputs, _ = SURFACES[name]
    write("sound.fa", FASTA)
    tally: collections.Counter[str] = collections.Counter()

    def once(values: tuple) -> None:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                function(*values)
            except BenchError as error:
                message = str(error)
                assert message, "an error without words"
                assert message.isprintable(), f"control characters in {message!r}"
                tally["refused"] += 1
            else:
                tally["accepted"] += 1
        assert not said, f"a warning: {said[0].message}"

    test = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=fixed_seed is None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )(given(inputs)(once))
    (test if fixed_seed is None else seed(fixed_seed)(test))()
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzz every surface that takes a person's input.")
    parser.add_argument("--examples", type=int, default=1000, help="of a surface; slow ones get a share of it")
    parser.add_argument("--only", choices=sorted(SURFACES))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    total: collections.Counter[str] = collections.Counter()
    for name in [asked.only] if asked.only else SURFACES:
        began = time.perf_counter()
        tally = fuzz(name, int(asked.examples * SURFACES[name][2]), fixed_seed=asked.seed)
        total += tally
        took = time.perf_counter() - began
        print(
            f"{name:<12} {tally.total():>8,} inputs: {tally['accepted']:,} accepted, {tally['refused']:,} refused,"
            f" {took:.0f} s",
            flush=True,
        )
    print(f"{'all':<12} {total.total():>8,} inputs")


if __name__ == "__main__":
    main()
