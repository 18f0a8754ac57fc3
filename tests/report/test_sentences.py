"""No summary, however odd, makes the report print a sentence that its fields do not support."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.board.schema import (
    BoardSummary,
    CeilingSummary,
    ChromosomeSummary,
    Estimate,
    HeterogeneitySummary,
    LibraryTest,
    RangeSummary,
    RhoSummary,
    RowSummary,
    ShareSummary,
    VerdictSummary,
)
from bench.report.columns import SCORES
from bench.report.sentences import caveats, parts_sentence, share_figure, share_sentence, verdict_sentence
from bench.report.share_facts import share_facts

FRACTION = st.floats(-1.5, 1.5).map(lambda value: round(value, 4))


def maybe(strategy):
    return st.none() | strategy


def _estimate(values):
    low, value, high = sorted(values[:3])
    return Estimate(value=value, low=low if values[3] > -1 else None, high=high)


ESTIMATE = st.tuples(FRACTION, FRACTION, FRACTION, FRACTION).map(_estimate)
PARTS = ("of_learned", "of_total", "unique_gc", "unique_best", "common", "shapley", "given_dna", "raw", "by_chromosome")


@st.composite
def shares(draw):
    headline = draw(maybe(ESTIMATE))
    return ShareSummary(
        gc="gc + spline",
        best=draw(maybe(st.just("kmers + ridge"))),
        of_explainable=headline,
        reason="two replicates that do not correlate" if headline is None else None,
        at_least=[] if headline is None else draw(st.lists(st.sampled_from(["ties", "two modes"]), unique=True)),
        shown_by_chromosome=draw(st.booleans()),
        rho_gc=[RhoSummary(first=name, rho=draw(maybe(FRACTION))) for name in "ab"],
        rho_replicates=[RhoSummary(first="a", second="b", rho=draw(maybe(FRACTION)))],
        attributable=draw(
            maybe(st.builds(RangeSummary, low=FRACTION, high=FRACTION, interval_low=FRACTION, interval_high=FRACTION))
        ),
        tails=draw(st.booleans()),
        given_dna_shown=draw(st.booleans()),
        **{name: draw(maybe(FRACTION)) for name in ("mean_form", "robustness", "normal_scores", "smallest_detectable")},
        **{name: draw(maybe(ESTIMATE)) for name in PARTS},
    )


TESTS = st.builds(
    LibraryTest, kind=st.sampled_from(["DNA", "barcodes", "floor"]), with_gc=maybe(ESTIMATE), matters=st.booleans()
)
BOARDS = st.builds(
    BoardSummary,
    inputs=st.just("i"),
    target=st.just("activity"),
    split=st.just("s"),
    folds_digest=st.just("f"),
    ceiling=st.builds(CeilingSummary, reason=st.just("of the ceiling")),
    best=maybe(st.just("kmers + ridge")),
    best_gc=maybe(st.just("gc + spline")),
    loci=maybe(st.integers(1, 300)),
    few_loci=st.booleans(),
    library=st.lists(TESTS, max_size=3),
    chromosome=maybe(st.builds(ChromosomeSummary, name=st.just("chr1"), fraction=st.floats(0.5, 1))),
    share=maybe(shares()),
    verdict=maybe(st.just(VerdictSummary(name="cnn", word="grammar", beyond_gc=Estimate(value=0.4)))),
    heterogeneity=st.dictionaries(
        st.just("class"), st.builds(HeterogeneitySummary, pooled_only=st.booleans()), max_size=1
    ),
)
MANY = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def figures(text):
    return [float(found.replace("−", "-")) for found in re.findall(r"[−]?\d+(?:\.\d+)?", text)]


def printed(value):
    """A percentage to the digits of the report, by other arithmetic."""
    return pytest.approx(100 * value, abs=0.51)


@MANY
@given(BOARDS)
def test_no_sentence_claims_what_its_fields_do_not_hold(board):
    share = board.share
    for short in (False, True):
        text = share_sentence(board, short=short)
        assert text.endswith(".")
        assert "None" not in text
        assert "nan" not in text
        assert "[]" not in text
        if share is None:
            assert "n/a" in text
            assert "explains" not in text
            assert ("GC-only model has not been run" in text) == (board.best_gc is None)
            continue
        if board.few_loci:
            assert "fewer than 20 loci" in text.lower()
            assert not re.search("explains|unique|accounts|may own|library", text)
            continue
        known = share.of_explainable
        claim = re.search(r"GC content explains (at least )?([−\d.]+) %", text)
        assert bool(claim) == (known is not None and known.value >= 0)
        if claim:
            assert bool(claim[1]) == bool(share.at_least)
            assert figures(claim[2])[0] == printed(known.value)
        assert ("negative" in text) == (known is not None and known.value < 0)
        if known is None:
            assert f"n/a ({share.reason})" in text
            assert "at least" not in text
            assert not re.search(r"% (\[[^]]*\] )?of the explainable variance is unique", text)
        assert ("what the best model learned" in text) == (share.of_learned is not None)
        if not short:
            assert ("is unique to GC" in text) == (share.unique_gc is not None)
        if "unique" in text:
            of = "all variance" if known is None else "the explainable variance"
            assert f"of {of} is unique to GC" in text
            assert share.unique_gc is not None
        if between := re.search(r"is between ([−\d.]+) and ([−\d.]+) %", text):
            low, high = figures(between[1])[0], figures(between[2])[0]
            assert low <= high
            assert (low, high) == (printed(share.attributable.low), printed(share.attributable.high))
        matters = any(test.matters and test.with_gc is not None for test in board.library)
        assert ("may be the library's" in text) == (matters and known is not None)
        assert ("are on chr1" in text) == (board.chromosome is not None and known is not None)


@MANY
@given(BOARDS)
def test_every_interval_holds_its_figure_and_has_its_ends_in_order(board):
    texts = [share_sentence(board), share_figure(board), *caveats(board), *share_facts(board)]
    if board.share is not None:
        texts += [parts_sentence(board.share), parts_sentence(board.share, windows=True)]
    for text in texts:
        for value, low, high in re.findall(r"([+−]?[\d.]+)(?: %)? \[([−\d.]+), ([−\d.]+)\]", text):
            low, value, high = figures(low)[0], figures(value.lstrip("+"))[0], figures(high)[0]
            assert low - 0.51 <= value <= high + 0.51


@MANY
@given(BOARDS)
def test_arithmetic_is_printed_only_where_it_gives_the_printed_share(board):
    lines = share_facts(board)
    for line in lines:
        if found := re.match(r"- GC's share: (−?)\(([−\d.]+)\) × \(([−\d.]+)\) / ([\d.]+) = ([−\d.]+) %", line):
            minus, (a, b, c, end) = found[1], (figures(each)[0] for each in found.groups()[1:])
            # Three printed digits over a small denominator leave that much open.
            assert (-1 if minus else 1) * a * b / c * 100 == pytest.approx(end, abs=1.1 + 0.2 / c**2)
    text = "\n".join(lines)
    share = board.share
    assert ("mean form" in text) == bool(share and share.of_explainable and share.mean_form is not None)
    assert ("Smallest share" in text) == bool(share and share.smallest_detectable is not None)
    assert ("Robustness" in text) == bool(share and share.robustness is not None)


def test_the_arithmetic_of_the_guide():
    share = ShareSummary(
        gc="gc",
        of_explainable=Estimate(value=0.38 * 0.41 / 0.80, low=0.15, high=0.23),
        rho_gc=[RhoSummary(first="a", rho=0.38), RhoSummary(first="b", rho=0.41)],
        rho_replicates=[RhoSummary(first="a", second="b", rho=0.80)],
    )
    board = BoardSummary(inputs="", target="y", split="s", folds_digest="", ceiling=CeilingSummary(), share=share)
    assert "- GC's share: (0.380) × (0.410) / 0.800 = 19 %" in share_facts(board)
    assert share_sentence(board) == "GC content explains 19 % [15, 23] of the explainable variance of y."


@pytest.mark.parametrize("few", [True, False])
def test_few_loci_take_letters_and_verdicts_away(few):
    row = RowSummary(name="a + b", featurizer="a", model="b", seeds=[0], verdict="beyond GC", letter="ab")
    verdict = VerdictSummary(name="a + b", word="beyond GC")
    board = BoardSummary(
        inputs="", target="y", split="s", folds_digest="", ceiling=CeilingSummary(), few_loci=few, verdict=verdict
    )
    cells = {name: show(row, board) for name, show in SCORES}
    assert (cells[""], cells["verdict"]) == (("", "") if few else ("ab", "beyond GC"))
    assert (verdict_sentence(board) == "") == few


def test_the_terminal_says_reasons_and_caveats():
    from rich.console import Console

    from bench.board.schema import Summary
    from bench.report.terminal import terminal_summary

    share = ShareSummary(gc="gc", of_explainable=Estimate(value=0.19, low=0.15, high=0.23), at_least=["ties"])
    kept = {"inputs": "", "split": "s", "folds_digest": "", "ceiling": CeilingSummary(reason="one replicate")}
    chromosome = ChromosomeSummary(name="chr1", fraction=0.8)
    boards = [
        BoardSummary(target="y", share=share, chromosome=chromosome, **kept),
        BoardSummary(target="z", share=ShareSummary(gc="gc", reason="one replicate"), **kept),
    ]
    task = type("Task", (), {"name": "t"})()
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(terminal_summary([Summary.model_construct(task=task, boards=boards)]))
    text = console.export_text()
    assert "at least 19 % [15, 23]" in text
    assert "t, y: 80 % of the rows are on chr1" in text
    assert "t, z: GC's share is n/a (one replicate)" in text
