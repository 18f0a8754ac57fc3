"""A task's rows for other programs, read back with other means."""

import gzip

import numpy as np
import pandas as pd
import pytest
from calls import call, refused

from bench.plugins.registry import Registry
from bench.tasks.load import TaskSource, load_planned


@pytest.mark.parametrize("ending", ["fa", "fa.gz"])
def test_everything_is_written_in_the_order_of_the_rows(small_task, tmp_path, ending):
    fasta, ids, folds = tmp_path / f"out.{ending}", tmp_path / "out.ids.txt", tmp_path / "folds.tsv"
    status, printed, error = call("data", "export", small_task, "--fasta", fasta, "--ids", ids, "--folds", folds)
    assert status == 0, error
    planned = load_planned(TaskSource(str(small_task)), Registry(dropped=False))
    text = gzip.decompress(fasta.read_bytes()).decode() if ending.endswith("gz") else fasta.read_text()
    records = [record.split("\n")[:2] for record in text.split(">")[1:]]
    assert [name for name, _ in records] == planned.task.row_id.tolist() == ids.read_text().split()
    assert [sequence for _, sequence in records] == planned.task.sequences.to_strings()
    table = pd.read_csv(folds, sep="\t")
    codes = {"none": -1, "train": 0, "valid": 1, "test": 2}
    parts = np.array([table[f"fold{i + 1}"].map(codes) for i in range(len(planned.folds))])
    np.testing.assert_array_equal(parts, planned.folds.part)
    assert table["chrom"].tolist() == planned.task.chrom.tolist()
    assert table["start"].tolist() == planned.task.position.tolist()
    assert planned.folds.digest in printed


def test_ids_with_spaces_are_told(small_task, tmp_path):
    table = small_task.with_suffix(".tsv")
    table.write_text(table.read_text().replace("\nr7\t", "\nr 7\t"))
    _, printed, _ = call("data", "export", small_task, "--fasta", tmp_path / "out.fa")
    assert "1 ids hold spaces, such as 'r 7'" in printed


def test_a_call_that_says_nothing_is_refused(small_task):
    assert "--fasta" in refused("data", "export", small_task)
