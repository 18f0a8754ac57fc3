import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.names import format_name, parse_name

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,12}", fullmatch=True)
VALUES = st.from_regex(r"[A-Za-z0-9+./:*-]([A-Za-z0-9+./:* -]{0,10}[A-Za-z0-9+./:*-])?", fullmatch=True)


def test_reads_what_people_type():
    assert parse_name("gc") == ("gc", {})
    assert parse_name(" kmers[ k = 5 , canonical=true ] ") == ("kmers", {"k": "5", "canonical": "true"})
    assert parse_name("holdout[valid=chr18,drop=chrX+chrY]") == ("holdout", {"valid": "chr18", "drop": "chrX+chrY"})
    assert parse_name("gc[]") == ("gc", {})


def test_writes_the_normal_form():
    assert format_name("kmers", {"k": 5, "canonical": True, "c": 0.5}) == "kmers[k=5,canonical=true,c=0.5]"
    assert format_name("gc", {}) == "gc"


@settings(deadline=None)
@given(NAMES, st.dictionaries(NAMES, VALUES, max_size=4))
def test_reads_back_what_it_writes(name, params):
    assert parse_name(format_name(name, params)) == (name, params)


@settings(deadline=None)
@given(NAMES, st.dictionaries(NAMES, VALUES, max_size=4), st.sampled_from(["", " ", "  "]))
def test_spaces_do_not_matter(name, params, space):
    inside = f"{space},{space}".join(f"{k}{space}={space}{v}" for k, v in params.items())
    assert parse_name(f"{space}{name}[{space}{inside}{space}]{space}") == (name, params)


@settings(deadline=None)
@given(st.text(alphabet="ab1=[],+ -\n\0é", max_size=20))
def test_garbage_is_one_clean_error(text):
    try:
        name, params = parse_name(text)
    except BenchError:
        return
    assert parse_name(format_name(name, params)) == (name, params)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a name must be"),
        ("kmers[k=5", "must close"),
        ("kmers[k=5]x", "must close"),
        ("kmers[k]", "must be key=value"),
        ("kmers[k=]", "must be key=value"),
        ("kmers[k=5,]", "must be key=value"),
        ("kmers[k=5,k=6]", "given twice"),
        ("kmers[k==5]", "must be key=value"),
    ],
)
def test_says_what_is_wrong(text, said):
    with pytest.raises(BenchError, match=said):
        parse_name(text)
