"""How good a model must be: worlds hold what they say, oracles find it, models that know nothing do not, and sentences
stand only where they hold."""

from __future__ import annotations

import re
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from calls import call, refused
from hypothesis import given
from hypothesis import strategies as st
from motif_worlds import occupancy, strings, subject, task, world
from scipy.stats import spearmanr

from bench.errors import BenchError
from bench.explain.record import Study, StudyPoint
from bench.explain.studied import study_in_words
from bench.explain.study import make_world, study_point, write_world
from bench.motifs.database import jaspar_motifs
from bench.plugins.registry import Registry
from bench.tasks.load import TaskSource, load_planned


@pytest.fixture(scope="module")
def planned():
    rows = world((), rows=700, length=120, seed=3)
    made = task(rows.codes)
    part = np.array([[0, 1, 2, 0, 0, 2, 3][i % 7] for i in range(700)], np.int8)
    return SimpleNamespace(task=made, name="own", folds=SimpleNamespace(part=part[None]))


@pytest.fixture(scope="module")
def made(planned):
    return make_world(planned, jaspar_motifs("vertebrates"), 400, seed=1)


def test_a_world_is_the_rows_of_the_task_with_sites_written_in(planned, made):
    assert len(made.codes) == 400
    assert set(made.part) == {0, 1, 2}, "no row that the split drops"
    families = [set(each.family.split("::")) for each in made.motifs]
    assert len(made.motifs) == 4
    assert all(not a & b for i, a in enumerate(families) for b in families[:i])
    own = {dinucleotides(row) for row in strings(planned.task.sequences.codes(i) for i in range(700))}
    plain = [row for row, sharp in zip(made.codes, made.sharp, strict=True) if not sharp.any()]
    assert len(plain) > 20
    assert all(dinucleotides(row) in own for row in strings(plain)), "a row without a site is a shuffled one"
    both = sum(sharp.any() for sharp in made.sharp) / 400
    assert abs(both - (1 - np.exp(-2))) < 0.08, "four motifs, half a site each"
    # What the truth follows, counted by a scanner of another kind.
    counted = sum(np.array([occupancy(motif.id)(row) for row in made.codes]) for motif in made.motifs)
    assert np.corrcoef(counted, made.truth)[0, 1] > 0.7
    assert abs(made.truth.std() - 1) < 1e-9
    assert np.corrcoef(made.measured(0.4), made.truth)[0, 1] ** 2 == pytest.approx(0.4, abs=0.08)


def dinucleotides(row):
    return frozenset(Counter(row[i : i + 2] for i in range(len(row) - 1)).items())


class Answers:
    """A model of one fold."""

    folds = 1

    def __init__(self, of):
        self.of = of

    def predict(self, sequences, folds=None):
        return np.array([[self.of(sequences.codes(i))] for i in range(len(sequences))], np.float32)

    def mutants(self, sequences, fold):
        return None


def asked(made, of, seed=0):
    """The point of a model on a world's test rows."""
    test = np.flatnonzero(made.part == 2)
    one = subject([made.codes[i] for i in test], np.array([of(made.codes[i]) for i in test]), seed=seed)
    object.__setattr__(one, "predictor", Answers(of))
    one.fold[:] = 0
    one.task.row_id[:] = test.astype(str)
    one.task.targets["y"].value[:] = made.measured(0.8)[test]
    return study_point(one, made, 0.8, 1)


def test_an_oracle_finds_what_was_written_and_others_do_not(made):
    each = [occupancy(motif.id) for motif in made.motifs]
    point = asked(made, lambda codes: sum(of(codes) for of in each))
    assert point.share > 0.7
    assert point.bases_auroc > 0.95
    assert point.bases_precision > 0.8
    assert point.motifs_recall == 1
    assert point.motifs_precision > 0.5
    gc = asked(made, lambda codes: np.isin(codes, (1, 2)).mean())
    assert gc.motifs_recall == 0
    assert gc.motifs_precision is None
    assert 0.3 < gc.bases_auroc < 0.7
    assert asked(made, lambda codes: 1.0).score is None


def test_what_is_attainable_is_what_a_perfect_model_scores_on_the_whole(made):
    rng = np.random.default_rng(5)
    test = made.truth[made.part == 2]
    for signal in (0.02, 0.5):
        many = np.sqrt(signal) * test + np.sqrt(1 - signal) * rng.normal(size=(400, len(test)))
        found = np.array([spearmanr(test, each).statistic for each in many])
        assert made.attainable(signal) == pytest.approx(found.mean(), abs=4 * found.std() / np.sqrt(150))
        assert made.attainable(signal) > 0


def test_a_world_is_read_back_as_it_was_written(made, tmp_path):
    path = write_world(tmp_path, "own-0.4", made, 0.4, "Homo sapiens")
    read = load_planned(TaskSource(str(path)), Registry((), dropped=False))
    place = read.task.row_id.astype(int)
    np.testing.assert_allclose(read.task.targets["y"].value, made.measured(0.4)[place], atol=1e-6)
    assert all((read.task.sequences.codes(i) == made.codes[place[i]]).all() for i in range(0, 400, 17))
    assert (read.folds.part[0] == made.part[place]).all()


def test_too_few_motifs_are_refused(planned):
    with pytest.raises(BenchError, match=r"writes 4 motifs .* Of 1 motifs it found"):
        make_world(planned, jaspar_motifs("vertebrates")[:1], 400, seed=0)
    with pytest.raises(BenchError, match="needs 50 test rows"):
        make_world(planned, jaspar_motifs("vertebrates"), 100, seed=0)


POINTS = st.builds(
    StudyPoint,
    signal=st.sampled_from([0.1, 0.4, 0.8]),
    world=st.integers(0, 1),
    score=st.one_of(st.none(), st.floats(-0.2, 0.9)),
    attainable=st.just(0.9),
    bases_auroc=st.one_of(st.none(), st.floats(0, 1)),
    bases_precision=st.none(),
    motifs_recall=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]),
    motifs_precision=st.none(),
)


@given(st.lists(POINTS, min_size=1, max_size=8), st.one_of(st.none(), st.floats(-0.5, 1.5)))
def test_sentences_stand_only_where_they_hold(points, of_ceiling):
    study = Study(
        task="t", target="y", split="s", featurizer="f", model="m", quick=True, rows=9, test_rows=3, motifs="JASPAR",
        points=points, of_ceiling=of_ceiling,
    )  # fmt: skip
    named, bases, own = study_in_words(study)
    for line, passed in (
        (named, lambda p: p.motifs_recall >= 0.75),
        (bases, lambda p: p.bases_auroc is not None and p.bases_auroc >= 0.95),
    ):
        best = max(points, key=lambda p: p.share)
        if not line.startswith("In "):
            assert best.share <= 0 or any(p.share == best.share and not passed(p) for p in points)
            continue
        models = 1 if "the one model" in line else int(re.search(r"In all (\d+) models", line)[1])
        ordered = sorted(points, key=lambda p: -p.share)
        assert all(passed(p) for p in ordered[:models])
    if of_ceiling is None:
        assert "n/a" in own
    elif "interpolated" in own:
        shares = [np.mean([p.share for p in points if p.signal == s]) for s in {p.signal for p in points}]
        assert min(shares) <= of_ceiling <= max(shares)


FOUR = """>M1 one
A [ 0 0 90 0 0 0 ]
C [ 0 0 0 90 0 90 ]
G [ 0 90 0 0 0 0 ]
T [ 90 0 0 0 90 0 ]
>M2 two
A [ 90 90 0 0 90 90 ]
C [ 0 0 0 90 0 0 ]
G [ 0 0 90 0 0 0 ]
T [ 0 0 0 0 0 0 ]
>M3 three
A [ 0 0 0 0 0 0 ]
C [ 90 90 0 90 90 0 ]
G [ 0 0 0 0 0 90 ]
T [ 0 0 90 0 0 0 ]
>M4 four
A [ 0 90 0 0 90 0 ]
C [ 0 0 0 0 0 0 ]
G [ 90 0 0 0 0 90 ]
T [ 0 0 90 90 0 0 ]
"""


def test_the_command_fits_explains_and_writes_a_page(tmp_path, small_task, monkeypatch):
    from bench.explain import study

    monkeypatch.setattr(study, "QUICK_STUDY", study.StudyEffort((0.9,), 1, 240))
    (tmp_path / "motifs.txt").write_text(FOUR)
    words = ("explain", small_task, "--study", "--quick", "-f", "kmers[k=4]", "-m", "ridge")
    words = (*words, "--motifs", tmp_path / "motifs.txt", "-o", tmp_path / "out", "--threads", 1)
    status, printed, error = call(*words)
    assert status == 0, (printed, error)
    assert "✓ [1/1] small-240-rows-0.9-world-0" in printed
    assert "where it stands among these is n/a" in printed
    [page] = (tmp_path / "out" / "study").glob("*.md")
    assert "| 90 % |" in page.read_text()
    [picture] = (tmp_path / "out" / "study").glob("*.svg")
    assert picture.name in page.read_text()
    assert call("run", "-t", small_task, "-f", "kmers[k=4]", "-m", "ridge", "-o", tmp_path / "out")[0] == 0
    status, printed, _ = call(*words)
    assert status == 0
    assert "✓" not in printed, "kept, with their models"
    assert "of the noise ceiling" in printed
    # A pair that worlds cannot serve is named, and the others are studied; the page keeps what was studied before.
    status, printed, _ = call(*words, "-f", "dna-count")
    assert status == 0
    assert "dna-count + ridge cannot be studied" in printed
    status, printed, _ = call(*words[:4], "-f", "gc", "-m", "gc-curve", *words[8:])
    assert status == 0
    assert page.read_text().count("## `") == 2
    for record in (tmp_path / "out" / "study").glob("*.json"):
        assert "NaN" not in record.read_text()


def test_the_best_rows_that_cannot_be_fitted_elsewhere_are_said(tmp_path, small_task):
    (tmp_path / "motifs.txt").write_text(FOUR)
    quick = ("--quick", "--motifs", tmp_path / "motifs.txt", "-o", tmp_path)
    words = ("explain", small_task, "--study", *quick)
    assert call("run", "-t", small_task, "-f", "gc", "-m", "gc-curve", "-o", tmp_path)[0] == 0
    assert "name a row with -f and -m" in refused(*words)
    assert call("run", "-t", small_task, "-f", "kmers[k=2]", "-m", "ridge", "-o", tmp_path)[0] == 0
    pairs = ("-p", "gc + gc-curve", "-p", "kmers[k=2] + ridge")
    assert call("blend", small_task, *pairs, "-o", tmp_path)[0] == 0
    status, printed, error = call("explain", small_task, *quick)
    assert status == 0, (printed, error)


def test_a_pair_that_fails_is_named_with_its_log_and_the_other_is_studied(tmp_path, small_task, monkeypatch):
    from bench.explain import study

    monkeypatch.setattr(study, "QUICK_STUDY", study.StudyEffort((0.9,), 1, 240))
    (tmp_path / "motifs.txt").write_text(FOUR)
    (tmp_path / "faulty.py").write_text(
        "from bench import Model\n"
        "class Faulty(Model):\n    name = 'faulty'\n"
        "    def fit(self, train, valid, setting):\n        raise ValueError('no')\n"
    )
    words = ("--study", "--quick", "--motifs", tmp_path / "motifs.txt", "-o", tmp_path, "--threads", 1)
    both = ("-f", "kmers", "-m", "faulty", "-m", "ridge", "--plugin", tmp_path / "faulty.py")
    status, printed, error = call("explain", small_task, *words, *both)
    assert status == 0, (printed, error)
    assert "kmers[k=6] + faulty failed: ValueError: no. The log:" in printed
    assert "kmers[k=6] + ridge: what it says of 1 world" in printed


def test_a_folder_that_is_in_the_way_is_one_line(tmp_path, small_task):
    (tmp_path / "study").write_text("x")
    words = ("--study", "--quick", "--taxon", "vertebrates", "-f", "gc", "-m", "ridge")
    _, printed, error = call("explain", small_task, *words, "-o", tmp_path)
    assert isinstance(error, BenchError), printed
    assert "\n" not in str(error)


def test_what_excludes_each_other(small_task, tmp_path):
    for more in (("--variants", "v.tsv"), ("--seeds", "2")):
        assert "it takes neither" in refused("explain", small_task, "--study", *more, "-o", tmp_path)
