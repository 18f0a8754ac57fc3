"""Parameters and sweeps: typed values from text, and the normal form of a name."""

import contextlib
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench import Featurizer
from bench.errors import BenchError
from bench.names import parse_name
from bench.plugins.parameters import convert, expand_sweep, normal_name, signature_of
from bench.plugins.registry import Registry

REGISTRY = Registry()


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("kmers[ canonical = TRUE , k=3]", "kmers[k=3,canonical=true]"),
        ("kmers[k=05,exact=no]", "kmers[k=5]"),
        ("gc-windows[width=50,n=7]", "gc-windows[n=7,width=50]"),
        ("gc-windows[n=7,width=none]", "gc-windows[n=7]"),
    ],
)
def test_parameters_are_typed_and_named_in_normal_form(text, normal):
    made = REGISTRY.make("featurizer", text)
    assert made.name == normal
    assert REGISTRY.make("featurizer", made.name) == made
    assert normal_name(made.cls, made.parameters) == normal


def test_the_engine_adds_the_scale_of_the_target_to_every_model():
    made = REGISTRY.make("model", "ridge[target=raw,alpha=1]")
    assert (made.name, made.target, made.parameters) == (
        "ridge[alpha=1,target=raw]",
        "raw",
        {"alpha": 1.0, "scaling": "auto"},
    )


def test_a_default_that_is_named_changes_nothing():
    assert repr(REGISTRY.make("model", "xgboost[reg_lambda=1]")) == repr(REGISTRY.make("model", "xgboost"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kmers[kk=3]", "kmers has no parameter 'kk'. Did you mean 'k'?"),
        ("kmers[k=three]", "the 'k' parameter of kmers must be a whole number. Got 'three'."),
        ("kmers[exact=maybe]", "the 'exact' parameter of kmers must be true or false. Got 'maybe'."),
        ("kmers[k=99]", "kmers: 'k' must be"),
        ("kmers[k=3", "the bracket must close"),
        ("gc[k=3]", "gc has no parameter 'k'."),
    ],
)
def test_wrong_names_and_values_are_answered_with_the_valid_ones(text, said):
    with pytest.raises(BenchError) as caught:
        REGISTRY.make("featurizer", text)
    assert said in str(caught.value)


def test_types():
    assert convert("3", int | None, "x") == 3
    assert convert("None", int | None, "x") is None
    assert convert("a", int | str, "x") == "a"
    assert convert("2", Literal[1, 2], "x") == 2
    for text, hint in (
        ("nan", float),
        ("inf", float),
        ("1.5", int),
        ("3", Literal[1, 2]),
        ("2", bool),
        ("9" * 5000, int),
    ):
        with pytest.raises(BenchError):
            convert(text, hint, "x")


class Untyped(Featurizer):
    name = "untyped"

    def __init__(self, k=3, share=0.5, deep: float = 1) -> None: ...


def test_without_an_annotation_the_default_decides_the_type():
    assert signature_of(Untyped) == {"k": (int, 3), "share": (float, 0.5), "deep": (float, 1.0)}
    assert type(signature_of(Untyped)["deep"][1]) is float


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_comes_back_from_its_name(value):
    _, given = parse_name(normal_name(Untyped, {"share": value}))
    assert convert(given.get("share", "0.5"), float, "share") == value


@given(st.text(max_size=40) | st.text("kmersx[]=,.0123456789-e truenonⅷ²\x00", max_size=40))
@example("kmers[k=3..99999999999999999999]")
@example("kmers[k=0..99,exact=0..99,canonical=0..99,x=0..99]")
@example("kmers[k=" + "9" * 5000 + "]")
def test_garbage_only_ever_raises_bench_error(text):
    for function in (
        expand_sweep,
        lambda text: REGISTRY.make("featurizer", text),
        lambda text: REGISTRY.make("featurizer", f"kmers[k={text}]"),
        lambda text: REGISTRY.make("featurizer", f"gc-windows[{text}]"),
        lambda text: REGISTRY.make("model", f"ridge[alpha={text}]"),
    ):
        with contextlib.suppress(BenchError):
            function(text)


def test_sweeps():
    assert expand_sweep("gc") == ["gc"]
    assert expand_sweep("kmers[k=3..5]") == ["kmers[k=3]", "kmers[k=4]", "kmers[k=5]"]
    assert expand_sweep("kmers[k=3..4,exact=true]") == ["kmers[k=3,exact=true]", "kmers[k=4,exact=true]"]
    assert len(expand_sweep("x[a=1..3,b=-1..1]")) == 9
    for wrong in ("kmers[k=5..3]", "kmers[k=1..1000]", "x[a=1..50,b=1..50]"):
        with pytest.raises(BenchError, match="sweep"):
            expand_sweep(wrong)
