"""The board of binary targets, from a task file to its figures."""

import json

import numpy as np
import pytest
from calls import call, refused
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score

from bench.board.schema import BoardSummary, Summary, TaskSummary
from bench.report.binary import above, binary_sentence
from bench.report.terminal import terminal_summary
from bench.store.result import ResultId
from bench.store.store import Store
from bench.tasks.task import TEST
from bench.tasks.task_file import load_task_file


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A task of activities, two twins and words, with a motif and GC, run with models of both; folder and summary."""
    folder = tmp_path_factory.mktemp("binary")
    rng = np.random.default_rng(0)
    n = 900
    gc = np.clip(rng.normal(0.5, 0.1, n), 0.2, 0.8)
    bases = [rng.choice(list("ACGT"), 60, p=[(1 - g) / 2, g / 2, g / 2, (1 - g) / 2]) for g in gc]
    hit = rng.random(n) < 0.5
    for row in np.flatnonzero(hit):
        bases[row][20:28] = list("TGACTCAT")
    sequences = ["".join(row) for row in bases]
    share = np.array([(s.count("G") + s.count("C")) / 60 for s in sequences])
    truth = (share - 0.5) / 0.1 + 1.5 * (hit - 0.5)
    rep = truth[:, None] + rng.normal(size=(n, 2))
    columns = {
        "id": [f"r{i}" for i in range(n)],
        "sequence": sequences,
        "chrom": [f"chr{1 + i % 6}" for i in range(n)],
        "half": ["ab"[i // 6 % 2] for i in range(n)],
        "rep1": [f"{v:.4f}" for v in rep[:, 0]],
        "rep2": [f"{v:.4f}" for v in rep[:, 1]],
        "call1": ["active" if v > 0 else "inactive" for v in rep[:, 0]],
        "call2": ["active" if v > 0 else "inactive" for v in rep[:, 1]],
    }
    lines = ["\t".join(columns)] + ["\t".join(row) for row in zip(*columns.values(), strict=True)]
    (folder / "t.tsv").write_text("\n".join(lines) + "\n")
    both = 'replicates = ["rep1", "rep2"]'
    (folder / "t.toml").write_text(
        'name = "t"\ntable = "t.tsv"\nsplit = "chromosome-kfold[k=3]"\ncolumns.strata = ["half"]\n'
        f"[targets.activity]\n{both}\n[targets.top]\n{both}\nthreshold = 'quantile 0.7'\n"
        '[targets.call]\nreplicates = ["call1", "call2"]\npositive = "active"\n'
    )
    asked = ["-f", "gc", "-f", "kmers[k=3]", "-m", "gc-curve", "-m", "ridge", "-m", "lightgbm[rounds=60]", "-m", "mean"]
    _, said, _ = call("run", "-t", folder / "t.toml", *asked, "-o", folder / "out")
    summary = json.loads((folder / "out" / "t" / "summary.json").read_text())
    return folder, {board["target"]: BoardSummary.model_validate(board) for board in summary["boards"]}, said


def stored(folder, target, featurizer, model):
    """Row, fold and prediction of test rows, as the store has them."""
    store = Store(folder / "out")
    found = store.predictions(ResultId("t", target, "chromosome-kfold[k=3]", featurizer, model, 0))
    test = found.part == TEST
    return found.row[test], found.fold[test], found.prediction[test]


def test_scores_are_scikit_learns_of_the_stored_probabilities(made):
    folder, boards, _ = made
    task = load_task_file(folder / "t.toml")
    for target in ("top", "call"):
        y = task.targets[target].replicates if target == "call" else task.targets[target].value[:, None]
        row, fold, p = stored(folder, target, "kmers[k=3]", "ridge")
        assert ((p >= 0) & (p <= 1)).all()
        wanted = [
            [score(y[row[fold == f]].T.ravel(), np.tile(p[fold == f], y.shape[1])) for f in range(3)]
            for score in (roc_auc_score, average_precision_score)
        ]
        found = boards[target].binary.rows["kmers[k=3] + ridge"]
        assert found.auroc.value == pytest.approx(np.mean(wanted[0]), abs=1e-6)
        assert found.ap.value == pytest.approx(np.mean(wanted[1]), abs=1e-6)
        assert found.auroc.low < found.auroc.value < found.auroc.high


def test_no_sentence_is_made_of_figures_without_an_interval(made):
    board = made[1]["top"]
    name = board.binary.chosen["gc"]
    gc = board.binary.rows[name]
    bare = gc.model_copy(update={"auroc": gc.auroc.model_copy(update={"low": None, "high": None})})
    binary = board.binary.model_copy(update={"rows": {**board.binary.rows, name: bare}})
    assert "tells the classes" in binary_sentence(board)
    assert "no sentence" in binary_sentence(board.model_copy(update={"binary": binary}))


def test_the_caption_names_the_scores_that_are_there(made):
    boards = made[1]
    for targets, wanted in (
        (["top"], [False, True]),
        (["activity"], [True, False]),
        (["top", "activity"], [True, True]),
    ):
        summary = Summary.model_construct(
            task=TaskSummary.model_construct(name="t"), boards=[boards[target] for target in targets]
        )
        caption = str(terminal_summary([summary]).caption)
        assert [word in caption for word in ("Spearman", "AUROC")] == wanted


def test_folds_of_one_class_are_named(made):
    board = made[1]["top"]
    assert (board.binary.folds, board.binary.one_class) == (3, 0)
    assert not any("one class" in line for line in above(board))
    lacking = board.model_copy(update={"binary": board.binary.model_copy(update={"one_class": 2})})
    assert any("In 2 of 3 folds all test rows are of one class" in line for line in above(lacking))


def test_gc_is_at_chance_at_equal_gc_and_more_than_gc_is_not(made):
    _, boards, _ = made
    for target in ("top", "call"):
        rows = boards[target].binary.rows
        assert rows["gc + gc-curve"].gc_matched.value == 0.5
        assert rows["gc + gc-curve"].auroc.value > 0.65
        assert rows["kmers[k=3] + ridge"].gc_matched.low > 0.5
        assert rows["none + mean"].auroc.value == 0.5
        assert boards[target].share is None


def test_the_twin_keeps_the_order_of_the_rows(made):
    _, boards, _ = made
    numbers = {row.name: row.score.value for row in boards["activity"].rows if row.score is not None}
    for target in ("top", "call"):
        twin = boards[target].binary.rows
        assert spearmanr(list(numbers.values()), [twin[name].auroc.value for name in numbers]).statistic > 0.6
        assert min(twin[n].auroc.value for n in numbers if "kmers" in n) > max(
            twin[n].auroc.value for n in numbers if "gc" in n
        )


def test_attainable_is_above_every_row(made):
    _, boards, _ = made
    assert boards["call"].binary.undecided > 0
    assert boards["top"].binary.undecided == 0
    for target in ("top", "call"):
        most = boards[target].binary.attainable
        best = max(row.auroc.value for row in boards[target].binary.rows.values())
        assert best < most.auroc.value < 1
    assert boards["top"].binary.attainable.flips_auroc is None
    labels = boards["call"].binary.attainable
    assert 0.5 < labels.flips_auroc < labels.auroc.value


def test_there_is_no_share_within_strata_either(made):
    _, boards, _ = made
    assert boards["activity"].heterogeneity["half"].within is not None
    for target in ("top", "call"):
        assert boards[target].heterogeneity["half"].within is None
        assert {level.share for level in boards[target].strata["half"]} == {None}


def test_predictions_are_calibrated_on_the_board(made):
    _, boards, _ = made
    for name, row in boards["top"].binary.rows.items():
        assert row.brier is not None, name
        assert row.brier < row.brier_null + 0.005, name
        assert row.calibration_error < 0.08, name


def test_what_people_are_told(made):
    folder, _, said = made
    assert "AUROC (*) for binary targets" in said
    assert "top*" in said
    page = (folder / "out" / "leaderboard.md").read_text()
    assert "GC content tells the classes of top apart with AUROC" in page
    assert "Positive: `active`; prevalence" in page
    assert "if the truth is two classes and labels are turned over by chance" in page
    assert "| featurizer + model |  | AUROC [95 %] | average precision [95 %]" in page


def test_explain_says_that_it_is_for_numbers_and_blend_gives_probabilities(made):
    folder, _, _ = made
    line = refused("explain", folder / "t.toml", "--target", "call", "-o", folder / "out")
    assert "'call' is binary" in line
    assert "choose activity with --target" in line
    call("blend", folder / "t.toml", "-p", "gc + gc-curve", "-p", "kmers[k=3] + ridge", "-o", folder / "out")
    row, _, p = stored(folder, "top", "gc+gc-curve | kmers[k=3]+ridge", "blend")
    assert ((p >= 0) & (p <= 1)).all()
    y = load_task_file(folder / "t.toml").targets["top"].value
    assert roc_auc_score(y[row], p) > 0.7


def test_predictions_made_elsewhere_need_not_be_probabilities(made):
    folder, _, _ = made
    task = load_task_file(folder / "t.toml")
    rng = np.random.default_rng(1)
    ranking = 5 * task.targets["call"].value + rng.normal(0, 3, len(task))
    lines = ["id\tprediction", *(f"{name}\t{value}" for name, value in zip(task.row_id, ranking, strict=True))]
    (folder / "p.tsv").write_text("\n".join(lines) + "\n")
    _, said, _ = call(
        "score", folder / "p.tsv", "-t", folder / "t.toml", "--target", "call", "--name", "mine", "-o", folder / "out"
    )
    assert "binary target" in said
    summary = json.loads((folder / "out" / "t" / "summary.json").read_text())
    board = next(BoardSummary.model_validate(each) for each in summary["boards"] if each["target"] == "call")
    row = board.binary.rows["external + mine"]
    assert row.brier is None
    assert row.auroc.value > 0.7
    assert "n/a" in (folder / "out" / "leaderboard.md").read_text()


def test_a_curve_of_classes_is_of_auroc(made, tmp_path):
    folder, _, _ = made
    split = "chromosome-kfold[k=6]"
    call("curve", folder / "t.toml", "-p", "gc + gc-curve", "--split", split, "-o", tmp_path / "out")
    page = (tmp_path / "out" / "curves" / "curves.md").read_text()
    assert "AUROC on 900 test rows" in page
    assert "Spearman on 900 test rows" in page
