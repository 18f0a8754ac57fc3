"""A few hundred inputs of every surface; ``python -m tests.fuzz`` tries as many as there is time for."""

import fuzz
import pytest

#: Inputs of a surface of average speed; slow ones get a share.
EXAMPLES = 200


@pytest.mark.parametrize("surface", sorted(fuzz.SURFACES))
def test_only_clean_errors(surface):
    tally = fuzz.fuzz(surface, max(int(EXAMPLES * fuzz.SURFACES[surface][2]), 8))
    assert tally.total() > 0


@pytest.mark.parametrize(
    ("surface", "sound"),
    [
        ("parameters", ("kmers[k=3..4]",)),
        ("task files", (fuzz.TASK,)),
        *[("tables", (kind, text)) for kind, text in fuzz.TEXTS.items()],
        ("lab tables", (set(), 0)),
        ("fasta", (fuzz.FASTA, fuzz.INDEX)),
        ("fasta", (fuzz.FASTA, None)),
        ("designs", (fuzz.DESIGN, fuzz.COUNTS)),
        ("predictions", ("tsv", fuzz.PREDICTIONS)),
        ("store", (0, [])),
        ("settings", ("",)),
    ],
)
def test_what_is_edited_is_sound_before(surface, sound):
    fuzz.SURFACES[surface][0](*sound)
