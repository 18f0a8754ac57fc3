"""What stands in the training part is plotted, and may be anything that a model can predict."""

import dataclasses

import numpy as np
import pytest

from bench.files.atomic import read_json, write_json
from bench.report.build import make_board
from bench.store.predictions import read_predictions, write_predictions
from bench.store.reading import PREDICTIONS, RECORD
from bench.store.record import mark


@pytest.mark.usefixtures("with_pictures")
def test_a_huge_value_in_the_training_part_stops_no_board(planted, tmp_path):
    made = planted()
    value = made.task.targets["activity"].value
    made.result(tmp_path / "out", "activity", "best", "ridge", value)
    (file,) = (tmp_path / "out").glob(f"*/*/*/best+ridge/*/{PREDICTIONS}")
    there = read_predictions(file)
    huge = there.prediction.copy()
    huge[there.part == 0] = np.where(np.arange((there.part == 0).sum()) % 2, 3e38, -3e38)
    write_predictions(file, dataclasses.replace(there, prediction=huge))
    noted = mark(file)
    record = file.with_name(RECORD)
    write_json(record, read_json(record) | {"bytes": noted.bytes, "crc32": noted.crc32})
    made = make_board(tmp_path / "out")
    assert made.troubles == []
    assert "best + ridge" in {row.name for row in made.summaries[0].boards[0].rows}
