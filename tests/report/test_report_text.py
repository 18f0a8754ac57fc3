from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report import text


@given(st.text())
def test_escaped_text_holds_no_markup_and_no_line_break(raw: str) -> None:
    shown = text.escape(raw)
    assert not set(shown) & set("<>|`*_[]\\~$\n\r\t\x00")
    assert len(shown.splitlines()) <= 1


@given(st.text())
def test_names_never_leave_their_table_cell(raw: str) -> None:
    shown = text.code(raw)
    assert "|" not in shown
    assert "<" not in shown
    assert "\n" not in shown
    assert shown.count("`") in (0, 2)


def test_escaped_text_reads_back_as_it_was() -> None:
    import html

    raw = "R&D [x](y) <b>`a|b`</b> *_~$"
    assert html.unescape(text.escape(raw)) == raw


@pytest.mark.parametrize("raw", ["# a", "###", "- a", "+ a", "12. a", "3) a", "---", "===", "> a", "~~~", "* a"])
def test_escaped_text_starts_no_block(raw: str) -> None:
    from markdown_it import MarkdownIt

    shown = [token.type for token in MarkdownIt().parse(f"first line\n{text.escape(raw)}\n")]
    assert shown == ["paragraph_open", "inline", "paragraph_close"]
    entry = [token.type for token in MarkdownIt().parse(f"- {text.escape(raw)}\n")]
    assert entry[2:-2] == ["paragraph_open", "inline", "paragraph_close"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.4889, "0.489"), (-0.27, "−0.270"), (-0.00001, "0.000"), (None, "n/a"), (math.nan, "n/a"), (math.inf, "n/a")],
)
def test_numbers(value: float | None, shown: str) -> None:
    assert text.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.19, "19 %"), (0.004, "0.4 %"), (1.17, "117 %"), (-0.02, "−2.0 %"), (None, "n/a")]
)
def test_percentages_are_never_clipped(value: float | None, shown: str) -> None:
    assert text.percent(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(0.44, "0.4 s"), (12.3, "12 s"), (210.0, "3.5 min"), (7560.0, "2.1 h")])
def test_durations(value: float, shown: str) -> None:
    assert text.seconds(value) == shown
