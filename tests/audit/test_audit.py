"""`bench audit` on planted trouble: each check names what was planted, and is silent on a clean task."""

import dataclasses
import json
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from audited import RNG, START, other_strand, subject
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from small_tasks import write_small_task
from typer.testing import CliRunner

from bench.audit import confounders, design, duplicates
from bench.audit.audit import audit
from bench.cli.main import app
from bench.tasks.duplicates import K, near_across_split
from bench.tasks.folds import make_folds
from bench.tasks.task import DROPPED, TEST, TRAIN, VALID, Folds, StratumCard
from bench.tasks.task_file import load_task_file


@pytest.fixture(autouse=True)
def same_numbers_alone_and_together() -> None:
    RNG.bit_generator.state = START


def status(findings, about=None) -> str:
    """The only status among the findings (about a thing)."""
    found = {finding.status for finding in findings if about is None or finding.about == about}
    assert len(found) == 1, found
    return found.pop()


# ---- duplicates ------------------------------------------------------------------------------------------------------
def kmers(text: str) -> set[str]:
    found = [text[i : i + K] for i in range(len(text) - K + 1)]
    return {min(kmer, other_strand(kmer)) for kmer in found if "N" not in kmer}


def near_by_hand(strings, part, share=0.5, aside=frozenset()) -> int:
    """Test rows whose bases, those of their other strand, or ``share`` of their 12-mers one row has that a model sees,
    from sets of strings."""
    sets = [kmers(text) - aside for text in strings]
    near = set()
    for fold in part:
        seen = np.flatnonzero(np.isin(fold, (TRAIN, VALID)))
        texts = {strings[j] for j in seen}
        for i in np.flatnonzero(fold == TEST):
            copy = strings[i] in texts or other_strand(strings[i]) in texts
            if copy or (sets[i] and any(len(sets[i] & sets[j]) >= share * len(sets[i]) for j in seen)):
                near.add(i)
    return len(near)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    share=st.sampled_from([0.2, 0.5, 0.9]),
    folds=st.sampled_from([1, 3, 70]),
    threads=st.sampled_from([1, 3]),
)
def test_near_copies_are_those_of_sets_of_kmers(seed, share, folds, threads):
    rng = np.random.default_rng(seed)
    strings = ["".join(rng.choice(list("ACGT"), 40)) for _ in range(8)]
    for _ in range(16):
        text = list(strings[rng.integers(8)])
        for at in rng.integers(0, 40, rng.integers(0, 4)):
            text[at] = rng.choice(list("ACGTN"))
        cut = "".join(text)[: rng.integers(8, 41)]
        strings.append(other_strand(cut) if rng.random() < 0.5 and "N" not in cut else cut)
    part = rng.choice(
        [-1, 0, 1, 2], (folds, len(strings)), p=[0.2, 0.4, 0.2, 0.2] if folds < 9 else [0.9, 0.04, 0.03, 0.03]
    )
    planted = subject(strings, tiles=1, part=part)
    with mock.patch("bench.kernels.shared_kmers._shares", return_value=threads):
        found = near_across_split(planted.task, planted.folds, share)
    assert found.near == near_by_hand(strings, part, share)
    assert found.compared == found.test_rows == (part == TEST).any(axis=0).sum()


def families(rng, rows, ancestors, low, high, length=120) -> list[str]:
    """Copies of a few ancestors, each at an identity of its own."""
    first = rng.integers(0, 4, (ancestors, length))
    codes = first[rng.integers(ancestors, size=rows)]
    wrong = rng.random(codes.shape) > rng.uniform(low, high, rows)[:, None]
    codes = np.where(wrong, (codes + rng.integers(1, 4, codes.shape)) % 4, codes)
    return ["".join("ACGT"[base] for base in row) for row in codes]


@pytest.mark.parametrize("threads", [1, 3])
def test_repeat_families_are_near_duplicates(threads, monkeypatch):
    # 2,000 rows from 5 ancestors at 85 to 97 %: each 12-mer of an ancestor is held by hundreds of rows.
    strings = families(np.random.default_rng(3), 2000, 5, 0.85, 0.97)
    strings[1::2] = [other_strand(text) for text in strings[1::2]]
    part = np.repeat([TEST, TRAIN, VALID], [500, 1400, 100])[None]
    planted = subject(strings, tiles=1, part=part)
    expected = near_by_hand(strings, part)
    assert expected > 50
    monkeypatch.setattr("bench.kernels.shared_kmers._shares", lambda rows: threads)
    finding = next(duplicates.check_near_duplicates(planted))
    assert finding.figures == {"near": expected, "compared": 500, "test_rows": 500, "set_aside": 0}
    assert finding.status == "FAIL"


@pytest.mark.parametrize("threads", [1, 3])
def test_a_vector_that_all_rows_hold_makes_no_near_duplicates(threads, monkeypatch):
    monkeypatch.setattr("bench.kernels.shared_kmers._shares", lambda rows: threads)
    rng = np.random.default_rng(4)
    left, right = ("".join(rng.choice(list("ACGT"), 60)) for _ in range(2))
    inserts = ["".join(rng.choice(list("ACGT"), 50)) for _ in range(400)]
    inserts[-20:] = [text[:30] + "A" + text[31:] for text in inserts[:20]]  # half of their 12-mers are the same
    part = np.repeat([TEST, TRAIN, VALID], [100, 200, 100])[None]
    planted = subject([left + text + right for text in inserts], tiles=1, part=part)
    found = near_across_split(planted.task, planted.folds)
    assert found.set_aside == len(kmers(left) | kmers(right))
    aside = frozenset(kmers(left) | kmers(right))
    assert found.near == near_by_hand([left + text + right for text in inserts], part, aside=aside) == 20
    finding = next(duplicates.check_near_duplicates(planted))
    assert f"{len(aside)} 12-mers that 99% of the rows hold are set aside" in finding.reason


@pytest.mark.parametrize("every", [4, 26])
def test_variants_of_one_sequence_are_near_duplicates_though_all_rows_hold_its_kmers(every):
    # Of variants at every fourth base each 12-mer is in 99 % of the rows, and a row has 12 of its own.
    rng = np.random.default_rng(5)
    base = "".join(rng.choice(list("ACGT"), 1300 if every == 4 else 130 * 26))
    places = range(0, len(base), every)
    strings = [base[:at] + "ACGT"[("ACGT".index(base[at]) + 1) % 4] + base[at + 1 :] for at in places]
    part = np.array([TEST, TRAIN, VALID])[np.arange(len(strings)) % 3][None]
    planted = subject(strings, tiles=1, part=part)
    found = near_across_split(planted.task, planted.folds)
    assert found.near == found.test_rows == (part == TEST).sum()


def test_a_sample_is_compared_where_all_would_take_too_long(monkeypatch):
    strings = families(np.random.default_rng(6), 600, 2, 0.9, 0.99)
    part = np.repeat([TEST, TRAIN, VALID], [300, 200, 100])[None]
    planted = subject(strings, tiles=1, part=part)
    whole = near_across_split(planted.task, planted.folds)
    monkeypatch.setattr("bench.tasks.duplicates.LEAST_ROWS", 150)
    monkeypatch.setattr("bench.tasks.duplicates.MOST_WORK", 1)
    monkeypatch.setattr("bench.tasks.duplicates.INDEX_BASES", 120 * 70)  # an index of 70 rows at a time
    part_of = near_across_split(planted.task, planted.folds)
    assert (part_of.compared, part_of.test_rows, part_of.sampled) == (150, 300, True)
    assert part_of.share == pytest.approx(whole.share, abs=4 * np.sqrt(0.25 / 150))
    monkeypatch.setattr("bench.tasks.duplicates.MOST_WORK", 10**12)
    assert near_across_split(planted.task, planted.folds) == whole
    finding = next(duplicates.check_near_duplicates(planted))
    assert "a random sample" not in finding.reason


def test_clean_rows_have_no_copies():
    planted = subject()
    assert status(duplicates.check_duplicates(planted)) == "PASS"
    assert status(duplicates.check_near_duplicates(planted)) == "PASS"


# ---- confounders -----------------------------------------------------------------------------------------------------
def test_a_covariate_is_named_by_how_well_it_ranks_the_target():
    n = 1200
    noise = RNG.normal(size=n)
    for strength, expected in ((0.0, "PASS"), (0.25, "WARN"), (0.8, "FAIL")):
        y = strength * noise + np.sqrt(1 - strength**2) * RNG.normal(size=n)
        planted = subject(y=y, covariates={"dna_count": np.exp(noise)})
        findings = list(confounders.check_covariates(planted))
        assert status(findings, "dna_count") == expected
        assert status(findings, "length") == "SKIPPED"
        assert status(findings, "barcodes") == "SKIPPED"
        figure = next(f for f in findings if f.about == "dna_count").figures["value"]
        assert figure == pytest.approx(spearmanr(noise, y).statistic)


def test_length_and_strand_count_as_covariates():
    lengths = RNG.integers(30, 60, 1200)
    strings = ["".join(RNG.choice(list("ACGT"), length)) for length in lengths]
    planted = subject(strings, y=lengths + RNG.normal(size=1200))
    assert status(confounders.check_covariates(planted), "length") == "FAIL"
    reverse = lengths > 45
    sequences = dataclasses.replace(planted.task.sequences, reverse=reverse)
    planted = dataclasses.replace(planted, task=dataclasses.replace(planted.task, sequences=sequences))
    assert status(confounders.check_covariates(planted), "strand") == "FAIL"


def test_gc_that_ranks_the_target_or_the_dna_is_a_warning_and_never_a_failure():
    planted = subject()
    assert status(confounders.check_gc(planted)) == "PASS"
    assert status(confounders.check_gc_and_dna(planted)) == "SKIPPED"
    strings = planted.task.sequences.to_strings()
    gc = np.array([(text.count("G") + text.count("C")) / len(text) for text in strings])
    planted = subject(strings, y=gc, covariates={"dna_count": np.exp(-5 * gc + 0.5 * RNG.normal(size=1200))})
    assert status(confounders.check_gc(planted)) == "WARN"
    assert status(confounders.check_gc_and_dna(planted)) == "WARN"


def test_a_stratum_that_predicts_the_target_and_a_gc_that_turns_within_strata():
    n = 2400
    labels = RNG.choice(["human", "mouse"], n)
    mouse = labels == "mouse"
    planted = subject(n=n, y=3 * mouse + RNG.normal(size=n), strata={"species": labels})
    finding = next(confounders.check_strata(planted))
    assert finding.status == "FAIL"
    tested = planted.folds.part[0] == TEST
    expected = spearmanr(mouse[tested], planted.task.targets["y"].value[tested]).statistic
    assert finding.figures["value"] == pytest.approx(expected)
    # Simpson: GC ranks the rows only because one species has more of both.
    share = np.where(mouse, 0.65, 0.35)
    strings = ["".join(RNG.choice(list("ACGT"), 60, p=[(1 - g) / 2, g / 2, g / 2, (1 - g) / 2])) for g in share]
    planted = subject(strings, y=0.6 * mouse + RNG.normal(size=n), strata={"species": labels})
    finding = next(confounders.check_strata(planted))
    assert finding.status == "WARN"
    assert ". GC: +" in finding.reason
    assert "pooled" in finding.reason
    assert status(confounders.check_strata(subject(strata={"species": RNG.choice(["a", "b"], 1200)}))) == "PASS"
    assert status(confounders.check_strata(subject())) == "SKIPPED"


def test_a_stratum_without_a_score_is_not_called_constant():
    rare = np.zeros(1200)
    rare[:2] = 1.0  # no fold has a test row of both kinds, or one at most
    labels = np.where(np.arange(1200) % 2 == 0, "a", "b")
    [finding] = confounders.check_strata(subject(y=np.where(np.arange(1200) < 2, np.nan, rare), strata={"c": labels}))
    assert finding.status == "SKIPPED"
    assert "a model that knows only c has no score" in finding.reason
    [finding] = confounders.check_strata(subject(y=rare, strata={"c": np.full(1200, "a")}))
    assert "c is the same in all measured rows" in finding.reason


def test_bins_of_gc_are_no_groups_to_warn_of():
    y = RNG.normal(size=1200)
    bins = np.where(np.arange(1200) // 4 % 2 == 0, "low", "high")
    y[bins == "high"] += 3
    planted = subject(y=y, strata={"gc": bins})
    assert status(confounders.check_strata(planted)) == "FAIL"
    of_gc = replace(planted, task=replace(planted.task, stratum_cards={"gc": StratumCard("bins", of="gc")}))
    assert status(confounders.check_strata(of_gc)) == "SKIPPED"


# ---- design ----------------------------------------------------------------------------------------------------------
def test_loci_in_two_parts_and_overlaps_that_loci_do_not_know_are_failures():
    planted = subject(tiles=4)
    clean = list(design.check_loci(planted))
    assert status(clean, "straddling") == "PASS"
    assert status(clean, "overlaps") == "SKIPPED"
    part = planted.folds.part.copy()
    part[0, 0] = TRAIN
    assert status(design.check_loci(dataclasses.replace(planted, folds=Folds("x", part))), "straddling") == "FAIL"
    part[0, :400] = DROPPED
    assert status(design.check_loci(dataclasses.replace(planted, folds=Folds("x", part))), "left out") == "WARN"
    far, near = np.arange(1200) * 100, np.arange(1200) * 50
    for start, expected in ((far, "PASS"), (near, "FAIL")):
        placed = dataclasses.replace(planted.task, chrom=np.full(1200, "chr1"), position=start)
        found = list(design.check_loci(dataclasses.replace(planted, task=placed)))
        assert status(found, "overlaps") == expected


@pytest.mark.parametrize(
    ("n", "tiles", "expected"), [(1200, 4, "PASS"), (1200, 10, "WARN"), (400, 1, "WARN"), (120, 1, "FAIL")]
)
def test_small_test_folds_are_named(n, tiles, expected):
    assert status(design.check_chromosomes(subject(n=n, tiles=tiles))) == expected


def test_a_test_chromosome_of_other_gc_is_named():
    planted = subject()
    assert status(design.check_gc_balance(planted)) == "PASS"
    strings = planted.task.sequences.to_strings()
    tested = planted.folds.part[0] == TEST
    richer = [text.replace("A", "G", 2) if test else text for text, test in zip(strings, tested, strict=True)]
    finding = next(design.check_gc_balance(subject(richer)))
    assert finding.status == "WARN"
    assert finding.figures["shift"] > 0.25


def test_ties_are_judged_by_the_most_frequent_value():
    y = RNG.normal(size=1200)
    assert status(design.check_ties(subject(y=y))) == "PASS"
    assert status(design.check_ties(subject(y=np.round(y, 1)))) == "PASS"  # all tied, yet ranked
    assert status(design.check_ties(subject(y=np.maximum(y, 0.5)))) == "WARN"
    finding = next(design.check_ties(subject(y=np.maximum(y, 1.6))))
    assert finding.status == "FAIL"
    assert finding.figures["mode"] == 1.6


def test_a_minimum_on_something_measured_on_rna_is_a_failure():
    y = RNG.normal(size=1200)
    covariates = {"dna_count": np.exp(RNG.normal(size=1200)), "reads": np.exp(y)}
    for column, expected in (
        ("dna_count", "PASS"),
        ("barcodes", "PASS"),
        ("external", "PASS"),
        ("reads", "WARN"),
        ("rna_count", "FAIL"),
        ("RNA1", "FAIL"),
        ("min_cDNA", "FAIL"),
        ("log2FC", "FAIL"),
    ):
        planted = subject(y=y, covariates=covariates, minimum={column: 1.0})
        assert status(design.check_filters(planted)) == expected, column
    assert status(design.check_filters(subject())) == "PASS"


def test_replicates_that_say_little_are_named():
    latent = RNG.normal(size=(1200, 1))
    for noise, expected in ((0.3, "PASS"), (1.7, "WARN")):
        planted = subject(replicates=latent + noise * RNG.normal(size=(1200, 2)))
        assert status(design.check_replicates(planted)) == expected
    half = RNG.normal(size=1200)
    assert (
        status(design.check_replicates(subject(replicates=np.column_stack([half, 0.2 * RNG.normal(size=1200) - half]))))
        == "FAIL"
    )
    assert status(design.check_replicates(subject(replicates=latent))) == "SKIPPED"


# ---- the whole -------------------------------------------------------------------------------------------------------
def test_every_check_says_something_of_a_task_file(small_task):
    task = load_task_file(small_task)
    found = list(audit(task, make_folds(task)))
    silent = {"averages", "counts", "levels", "noise"}  # of nothing to find
    assert {finding.check for finding in found} >= {
        "replicates",
        "copies",
        "rows",
        "near-duplicates",
        "filters",
    } - silent
    for finding in found:
        assert finding.status in ("PASS", "WARN", "FAIL", "SKIPPED")
        assert finding.reason
        assert "\n" not in finding.reason


def test_the_command_exits_by_what_it_is_told_to_fail_on(tmp_path):
    task = write_small_task(tmp_path / "data", rows=900)
    call = ["audit", str(task)]
    shown = CliRunner().invoke(app, call)
    assert shown.exit_code == 0, shown.output
    assert "WARN    gc" in shown.output
    assert CliRunner().invoke(app, [*call, "--fail-on", "warn"]).exit_code == 1
    assert CliRunner().invoke(app, [*call, "--fail-on", "never"]).exception is not None
    task.write_text(task.read_text().replace("dna_count = 'dna'", "rna = 'dna'") + "[minimum]\nrna = 20\n")
    printed = CliRunner().invoke(app, [*call, "--json"])
    assert printed.exit_code == 1
    content = json.loads(printed.output)
    assert content["counts"]["FAIL"] == sum(finding["status"] == "FAIL" for finding in content["findings"])
    assert {"check": "filters", "status": "FAIL"}.items() <= content["findings"][-1].items()


@pytest.mark.data
@pytest.mark.slow
def test_klein_gc_turns_with_the_design(data_dir):
    result = CliRunner().invoke(app, ["audit", "klein2020", "--json", "--data-dir", str(data_dir)])
    found = {f["about"]: f["figures"]["value"] for f in json.loads(result.output)["findings"] if f["check"] == "gc"}
    for target, rho in (("pGL4", 0.19), ("HSS", -0.02), ("ORI", 0.15), ("HSS_b2", -0.27), ("5-5-MT", 0.24)):
        # The figures are of the mean of the replicates; the target is their places combined.
        assert found[target] == pytest.approx(rho, abs=0.03)
