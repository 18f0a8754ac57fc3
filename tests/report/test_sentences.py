"""No summary, however odd, makes the report print a sentence that its fields do not support."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.board.figure import Estimate
from bench.board.schema import (
    BoardSummary,
    CeilingSummary,
    ChromosomeSummary,
    HeldFixedSummary,
    HeterogeneitySummary,
    LibraryTest,
    RangeSummary,
    RhoSummary,
    RowSummary,
    ShareSummary,
    VerdictSummary,
)
from bench.report.columns import SCORES
from bench.report.sentences import caveats, misfit, parts_sentence, share_figure, share_sentence, verdict_sentence
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


ROWS = st.builds(
    RowSummary,
    name=st.just("a + b"),
    featurizer=st.just("a"),
    model=st.just("b"),
    seeds=st.just([0]),
    gc_only=st.booleans(),
    score=maybe(ESTIMATE),
)
TESTS = st.builds(
    LibraryTest,
    kind=st.sampled_from(["DNA", "barcodes", "floor", "missing", "unmeasured", "controls"]),
    with_gc=maybe(ESTIMATE),
    matters=st.booleans(),
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
        st.just("class"),
        st.builds(
            HeterogeneitySummary,
            pooled_only=st.booleans(),
            opposite=st.sampled_from([[], ["enhancer", "promoter"]]),
            q=maybe(st.floats(0, 99)),
            p=maybe(st.floats(0, 1)),
            i2=maybe(st.floats(0, 1)),
        ),
        max_size=1,
    ),
    rows=st.lists(ROWS, max_size=2),
    shares_apart=st.lists(shares(), max_size=1),
    choices=st.just({}),
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
            seen = [row for row in board.rows if row.gc_only]
            assert ("a GC-only model" in text) == (board.best_gc is None)
            assert ("GC-only model has not been run" in text) == (board.best_gc is None and not seen)
            assert ("one value for all rows" in text) <= any(row.score is None for row in board.rows)
            continue
        if board.few_loci:
            assert "fewer than 20 loci" in text.lower()
            assert not re.search("explains|unique|accounts|may own|library", text)
            continue
        known = share.of_explainable
        claim = re.search(r"GC content explains (at least )?([−\d.]+) %", text)
        assert bool(claim) == (known is not None and known.value >= 0)
        if claim:
            assert bool(claim[1]) == (bool(share.at_least) and known.value > 0)
            assert figures(claim[2])[0] == printed(known.value)
        below = known is not None and known.value < 0
        off = below and known.high is not None and known.high < 0
        assert ("negative" in text) == off
        assert ("cannot be told from 0" in text) == (below and not off)
        assert ("at least" in text) <= ((known is not None and known.value > 0) or bool(board.shares_apart))
        if known is None:
            assert f"n/a ({share.reason})" in text
            assert not re.search(r"% (\[[^]]*\] )?of the explainable variance is unique", text)
        learned = share.of_learned
        assert ("explain together" in text) == (learned is not None and None not in (learned.low, learned.high))
        if not short:
            assert ("is unique to GC" in text) == (share.unique_gc is not None)
        if "unique" in text:
            of = "all variance" if known is None else "the explainable variance"
            of += ", DNA not held fixed," * (known is not None and share.given_dna_shown)
            assert f"of {of} is unique to GC" in text
            assert share.unique_gc is not None
        if between := re.search(r"is between ([−\d.]+) and ([−\d.]+) %", text):
            low, high = figures(between[1])[0], figures(between[2])[0]
            assert low < high
            assert (low, high) == (printed(share.attributable.low), printed(share.attributable.high))
        matters = any(test.matters and test.with_gc is not None for test in board.library)
        assert ("may be the library's" in text) == (matters and known is not None)
        beside = matters and known is not None and share.given_dna is not None and not share.given_dna_shown
        assert ("with DNA counts held fixed the share is" in text) == beside
        assert ("are on chr1" in text) == (board.chromosome is not None and known is not None)
        apart = [found for found in board.shares_apart if found.of_explainable is not None]
        assert ("GC in windows" in text) == (short and bool(apart))
        assert ("too wide to say" in text) <= (share.shown_by_chromosome or any(a.shown_by_chromosome for a in apart))
        story = board.heterogeneity.get("class")
        signs = known is not None and story is not None and bool(story.opposite)
        assert ("opposite signs in levels of class" in text) == signs


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
    above = bool(share and share.of_explainable and share.of_explainable.value > 0)
    assert ("Robustness" in text) == (above and share.robustness is not None and not board.few_loci)
    story = board.heterogeneity.get("class")
    assert ("Cochran's Q" in text) == (story is not None and None not in (story.q, story.p, story.i2))


CONTROLS = st.builds(
    HeldFixedSummary,
    name=st.just("gc + spline"),
    **{name: maybe(ESTIMATE) for name in ("given_gc", "within_gc_bins", "gc_matched_auroc")},
)


@MANY
@given(CONTROLS)
def test_the_control_is_said_to_be_at_chance_only_where_every_interval_holds_it(control):
    text = misfit(control)
    chance = {"given_gc": 0.0, "within_gc_bins": 0.0, "gc_matched_auroc": 0.5}
    known = {name: figure for name in chance if (figure := getattr(control, name)) is not None}
    off = [
        name
        for name, figure in known.items()
        if not (figure.low <= chance[name] <= figure.high if figure.low is not None else figure.value == chance[name])
    ]
    assert ("has no figure" in text) == (not known)
    assert ("it is at chance in every column" in text) == (bool(known) and not off)
    assert ("is not at chance" in text) == bool(off)
    assert ("AUROC" in text) == ("gc_matched_auroc" in off)
    assert ("within GC bins" in text) == ("within_gc_bins" in off)


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
    assert "t, y: 80 % of the test rows are on chr1" in text
    assert "t, z: GC's share is n/a (one replicate)" in text


def test_eighty_columns_hold_every_figure_and_the_names_whole():
    from rich.console import Console

    from bench.board.schema import Summary
    from bench.report.terminal import terminal_summary

    share = ShareSummary(
        gc="gc + gc-curve",
        of_explainable=Estimate(value=0.054, low=0.031, high=0.082),
        by_chromosome=Estimate(value=0.054, low=0.019, high=0.11),
        shown_by_chromosome=True,
        at_least=["ties"],
    )
    kept = {"inputs": "", "split": "s", "folds_digest": "", "ceiling": CeilingSummary(estimate=Estimate(value=0.993))}
    boards = [BoardSummary(target=name, share=share, **kept) for name in ("3-3-MT", "a-long-name-of-a-target")]
    task = type("Task", (), {"name": "sure2017-positives"})()
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(terminal_summary([Summary.model_construct(task=task, boards=boards)]))
    text = console.export_text()
    assert text.count("at least 5.4 % [3.1, 8.2]") == 2
    assert text.count("0.993") == 2
    assert "…" not in text
    assert "3-3-MT" in text
    joined = "".join(line[line.index("a-long") :] if "a-long" in line else line for line in text.split("\n"))
    assert "by chromosome [1.9, 11]" in " ".join(joined.split())


def test_a_ceiling_of_few_rows_is_said_to_be_uncertain():
    share = ShareSummary(gc="gc", of_explainable=Estimate(value=0.19, low=0.15, high=0.23))
    kept = {"inputs": "", "split": "s", "folds_digest": "", "target": "y", "share": share}
    known = CeilingSummary(estimate=Estimate(value=0.8))
    said = "60 test rows: the noise ceiling may be 5 % off"
    assert said in caveats(BoardSummary(n=60, ceiling=known, **kept))
    assert said not in " ".join(caveats(BoardSummary(n=160, ceiling=known, **kept)))
    assert said not in " ".join(caveats(BoardSummary(n=60, ceiling=CeilingSummary(reason="one replicate"), **kept)))
