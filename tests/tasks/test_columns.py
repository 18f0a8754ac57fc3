import numpy as np
import pandas as pd
import pytest

from bench.errors import BenchError
from bench.tasks.columns import Columns

FRAME = pd.DataFrame({"id": ["a", "b", "c"], "x": [1.0, np.nan, 3.0], "y": ["1", "", "many"], "z": [0.5, -1.0, np.inf]})


def test_columns_of_the_rows_that_are_kept():
    kept = Columns.of(FRAME, "t").keep(np.array([True, False, True]))
    assert len(kept) == 2
    assert kept.text("x").tolist() == ["1", "3"]
    assert kept.numbers("x").tolist() == [1, 3]
    np.testing.assert_array_equal(Columns.of(FRAME, "t").positions("x"), [1, np.nan, 3])
    assert Columns.of(FRAME, "t").text("x").tolist() == ["1", "", "3"]


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda t: t.numbers("y"), r"t: row 3 \('c'\), column 'y' must be a finite number or empty\. Got 'many'\."),
        (lambda t: t.numbers("z"), r"t: row 3 \('c'\), column 'z' must be a finite number or empty\. Got 'inf'\."),
        (lambda t: t.numbers("w"), r"t: column 'w' is missing\."),
        (lambda t: t.require(["w"], "Add it."), r"t: column 'w' is missing\. Add it\."),
        (lambda t: t.keep(np.array([False, True, False])).counts("z"), r"row 2 \('b'\), .*a count, 0 or more\. Got -1"),
        (lambda t: t.keep(np.array([True, True, False])).positions("z"), r"row 1 \('a'\), .* whole number .*Got 0\.5"),
    ],
)
def test_messages_name_table_row_and_column(read, said):
    frame = FRAME.assign(y=["1", None, "many"])
    with pytest.raises(BenchError, match=said):
        read(Columns.of(frame, "t", "id"))
