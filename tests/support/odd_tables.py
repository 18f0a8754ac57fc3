"""A clean table of sixty rows, changes of it, and the task that reads them."""

from __future__ import annotations

import random

import pytest

from bench.errors import BenchError
from bench.tasks.task_file import load_task_file

HEAD = ["id", "sequence", "chrom", "start", "end", "strand", "dna", "rep1", "rep2", "class"]
COLUMNS = "covariates = { dna_count = 'dna' }\nstrata = ['class']"
TARGET = "replicates = ['rep1', 'rep2']"


def _rows():
    draw = random.Random(3)
    rows = []
    for i in range(60):
        place = [f"chr{1 + i % 6}", str(1000 + 300 * i), str(1120 + 300 * i), "+-"[i % 2]]
        values = [str(draw.randint(5, 2000)), f"{draw.gauss(0, 1):.4f}", f"{draw.gauss(0, 1):.4f}"]
        rows.append([f"r{i}", "".join(draw.choices("ACGT", k=120)), *place, *values, ("prom", "enh")[i % 2]])
    return rows


ROWS = _rows()
FASTA = "".join(f">{row[0]}\n{row[1]}\n" for row in ROWS)


def text(rows, head=HEAD, sep="\t", end="\n"):
    return end.join(sep.join(row) for row in [*([head] if head else []), *rows]) + end


def each(column, change, where=lambda i: True):
    """The table with a change in one column of some rows."""
    at = HEAD.index(column)
    return text([[*row[:at], change(row[at]), *row[at + 1 :]] if where(i) else row for i, row in enumerate(ROWS)])


def one(column, value):
    return each(column, lambda _: value, lambda i: i == 3)


def with_column(name, value):
    return text([[*row, value(i)] for i, row in enumerate(ROWS)], [*HEAD, name])


def named(**names):
    return [names.get(name, name) for name in HEAD]


def load(folder, content, name="t.tsv", keys="", columns=COLUMNS, target=TARGET):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    path = folder / "task.toml"
    path.write_text(f'name = "t"\ntable = "{name}"\n{keys}\n[columns]\n{columns}\n[targets.y]\n{target}\n')
    return load_task_file(path)


def refused(*arguments, **options):
    with pytest.raises(BenchError) as caught:
        load(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)
