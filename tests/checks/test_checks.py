"""The checks have teeth: each fails the plugin that breaks its promise, in words, and passes a sound one."""

import copy
import itertools

import numpy as np
import pytest

from bench import Featurizer, Model
from bench.checks import CheckFailed, dataset_checks, featurizer_checks, model_checks
from bench.dataset import Dataset, RemoteFile
from bench.plugins.registry import Registry
from bench.tasks.spec import TargetSpec, TaskSpec


class Words(Featurizer):
    """A sound featurizer."""

    name = "words"
    shown = ("word",)

    def __init__(self, word: str = "CG", scale: float = 1.0) -> None:
        self.word = word
        self.scale = scale

    def transform(self, sequences):
        return np.array([[row.count(self.word) * self.scale] for row in sequences.to_strings()], np.float32)

    def names(self, sequences):
        return ["count"]


class Line(Model):
    """A sound model: least squares."""

    name = "line"
    stochastic = False

    def fit(self, train, valid, setting):
        table = np.column_stack([train.x.table().astype(float), np.ones(len(train.x))])
        self.weights = np.linalg.lstsq(table, train.y, rcond=None)[0]

    def predict(self, x):
        return np.column_stack([x.table().astype(float), np.ones(len(x))]) @ self.weights


def failures(checks):
    found = {}
    for check in checks:
        try:
            check()
        except CheckFailed as error:
            found[check.name] = str(error)
    return found


def test_sound_plugins_pass():
    assert failures(featurizer_checks(Words())) == {}
    assert failures(featurizer_checks(Words(word="AT", scale=0.5))) == {}
    assert failures(model_checks(Line())) == {}


def changed(base, **attributes):
    cls = type("Broken", (base,), {"__module__": __name__, **attributes})
    return cls()


def raw(sequences):
    return np.array([[piece.size] for piece in np.split(sequences.buffer, sequences.stop)[:-1]], np.float32)


def writes(self, sequences):
    values = Words.transform(self, sequences)
    sequences.buffer[:] = 0
    return values


def learns(self, sequences):
    values = Words.transform(self, sequences)
    self.middle_ = getattr(self, "middle_", values.mean(axis=0))  # of the first rows it meets
    return values - self.middle_


def transforms(function):
    return {"transform": lambda self, sequences: function(Words.transform(self, sequences), sequences)}


CALLS = itertools.count()
BROKEN_FEATURIZERS = {
    "shape": transforms(lambda values, s: values[:, 0]),
    "dtype": transforms(lambda values, s: values.astype(np.float64)),
    "finite": transforms(lambda values, s: np.where(np.arange(len(values))[:, None] == 5, np.nan, values)),
    "names": {"names": lambda self, s: ["a", "b"]},
    "deterministic": transforms(lambda values, s: values + next(CALLS)),
    "batch": transforms(lambda values, s: values - values.mean(axis=0)),
    "row-order": transforms(lambda values, s: np.sort(values, axis=0)),
    "short-rows": transforms(lambda values, s: (values / s.lengths[:, None]).astype(np.float32)),
    "unknown-bases": {"transform": lambda self, s: np.array([[1 / len(set(r) - {"N"})] for r in s.to_strings()], "f4")},
    "strand-flag": {"transform": lambda self, s: (s.buffer[s.start + np.minimum(1, s.lengths - 1)])[:, None]},
    "input": {"transform": writes},
    "pickle": {"__init__": lambda self: setattr(self, "word", "CG") or setattr(self, "scale", lambda: 1)}
    | {"transform": lambda self, s: s.lengths[:, None].astype(np.float32), "shown": ()},
    "strand": {"strand": "same", "__init__": lambda self: setattr(self, "word", "GA") or setattr(self, "scale", 1)}
    | {"shown": ()},
    "gc-only": {"gc_only": True},
    "confounder": {"role": "confounder"},
    "name": {"name": "Words!"},
}


def test_what_is_learned_from_the_first_rows_is_noticed():
    found = failures(featurizer_checks(changed(Words, name="words", transform=learns)))
    assert "alone and in a batch" in found["batch"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", BROKEN_FEATURIZERS)
def test_a_broken_featurizer_fails_its_check(name):
    found = failures(featurizer_checks(changed(Words, **{"name": "words", **BROKEN_FEATURIZERS[name]})))
    assert name in found
    assert "must" in found[name]


class Forgets(Words):
    name = "forgets"

    def __init__(self, word: str = "CG", scale: float = 1.0) -> None:
        self.word = word

    def transform(self, sequences):
        return sequences.lengths[:, None].astype(np.float32)


class Alters(Words):
    name = "alters"

    def __init__(self, word: str = "CG", scale: float = 1.0) -> None:
        super().__init__(word + "A", scale)


@pytest.mark.parametrize("cls", [Forgets, Alters])
def test_parameters_must_be_stored_as_given(cls):
    assert "stored" in failures(featurizer_checks(cls()))["parameters"]


def test_a_wrong_shape_is_told_in_numbers():
    broken = changed(Words, name="words", transform=lambda self, s: Words.transform(self, s)[:7])
    assert failures(featurizer_checks(broken))["shape"] == (
        "The features of words[word=CG], a table, must have shape (n, columns) with n = 24. Got (7, 1)."
    )


def test_any_error_of_a_plugin_is_a_failed_check():
    def transform(self, sequences):
        raise KeyError("dna_count")

    found = failures(featurizer_checks(changed(Words, name="words", transform=transform)))
    assert "KeyError: 'dna_count'" in found["shape"]


def predicts(function):
    return {"predict": lambda self, x: function(Line.predict(self, x), x)}


def fits(function):
    def fit(self, train, valid, setting):
        function(self, train, setting)

    return {"fit": fit}


def writes_targets(self, train, setting):
    Line.fit(self, train, train, setting)
    train.y[:] = 0


def keeps_targets(self, train, setting):
    Line.fit(self, train, train, setting)
    self.weights = setting.shared.setdefault("weights", self.weights)


def claims_cuda(self, train, setting):
    Line.fit(self, train, train, setting)
    self.device_used = "cuda"


def divides_by_spread(self, train, setting):
    Line.fit(self, train, train, setting)
    with np.errstate(all="ignore"):
        self.weights = self.weights / np.append(train.x.table().std(axis=0), 1) ** 0.5


def draws(self, train, setting):
    Line.fit(self, train, train, setting)
    self.weights = self.weights + next(CALLS)


BROKEN_MODELS = {
    "predictions": predicts(lambda values, x: values[:, None]),
    "row-order": predicts(lambda values, x: np.sort(values)),
    "other-rows": predicts(lambda values, x: values - values.mean()),
    "input": fits(writes_targets),
    "history": fits(lambda self, train, setting: Line.fit(self, train, train, setting) or setattr(self, "history", 3)),
    "refit": fits(draws),
    "seed": {"stochastic": True},
    "shared": fits(keeps_targets),
    "constant-columns": fits(divides_by_spread),
    "device": fits(claims_cuda),
    "linear-signal": predicts(lambda values, x: values * 0),
    "better-than-mean": predicts(lambda values, x: values * 100),
    "estimate": {"estimate": classmethod(lambda cls, rows, columns: -1.0)},
    "takes": {"takes": ("tabel",)},
    "multitask": {"multitask": True},
    "pickle": fits(lambda self, train, setting: Line.fit(self, train, train, setting) or setattr(self, "f", lambda: 1)),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", BROKEN_MODELS)
def test_a_broken_model_fails_its_check(name):
    found = failures(model_checks(changed(Line, **{"name": "line", **BROKEN_MODELS[name]})))
    assert name in found
    assert "must" in found[name]


def test_a_known_failure_needs_a_reason_and_a_failure():
    broken = {"name": "words", "gc_only": True}
    excused = {
        check.name: check
        for check in featurizer_checks(changed(Words, **broken, known_failures={"gc-only": "it counts a word"}))
    }
    assert excused["gc-only"]() == "known failure: it counts a word"
    found = failures(featurizer_checks(changed(Words, name="words", known_failures={"finite": "not so"})))
    assert "passes" in found["finite"]
    assert (
        "reason"
        in failures(featurizer_checks(changed(Words, **broken, known_failures={"gc-only": ""})))["known-failures"]
    )
    assert (
        "must name checks"
        in failures(featurizer_checks(changed(Words, name="words", known_failures={"gx": "a b"})))["known-failures"]
    )


def test_a_taken_name_is_told():
    found = failures(featurizer_checks(changed(Words, name="gc"), Registry()))
    assert found["name"] == "The name of Broken must be its own. Got 'gc', which belongs to bench-gc."


def test_a_mutable_plugin_is_not_worn_out_by_the_checks():
    words = Words()
    before = copy.deepcopy(vars(words))
    failures(featurizer_checks(words))
    assert vars(words) == before


class Made(Dataset):
    name = "made"
    title = "Sixty rows"

    def spec(self):
        return TaskSpec(
            name="made", title="Made", assay="none", organism="none", citation="here", licence="CC0",
            targets={"y": TargetSpec(replicates=["a"])}, split="chromosome-kfold[k=3]",
        )  # fmt: skip

    def frame(self, files):
        import pandas as pd

        rows = range(60)
        chrom = [f"chr{row % 6}" for row in rows]
        return pd.DataFrame(
            {"sequence": [f"ACGT{'A' * row}" for row in rows], "chrom": chrom, "a": [float(r) for r in rows]}
        )


def test_data_sets():
    assert failures(dataset_checks(Made())) == {}
    file = RemoteFile("../up.tsv", "http://here", "AB", 0)
    found = failures(dataset_checks(changed(Made, name="made", title="", files=(file,))))
    assert set(found) == {"title", "files"}
    whole = TaskSpec(name="other", targets={"y": TargetSpec(replicates=["a"])}, split="locus-kfold[k=3]")
    assert (
        "name of the data set" in failures(dataset_checks(changed(Made, name="made", spec=lambda self: whole)))["spec"]
    )


def test_a_data_set_whose_files_are_not_here_passes_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path))
    file = RemoteFile("a.tsv", "https://example.org/a.tsv", "0" * 64, 10)
    checks = {
        check.name: check for check in dataset_checks(changed(Made, name="made", files=(file,)), data_dir=tmp_path)
    }
    assert "1 of 1 files of made are not here" in checks["task"]()
