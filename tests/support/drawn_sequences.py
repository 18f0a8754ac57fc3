"""Sequences that hypothesis draws."""

import numpy as np
from hypothesis import strategies as st

from bench.sequences import Sequences


@st.composite
def intervals(draw, most_rows=12):
    """Overlapping stranded intervals over a buffer in either case, with runs of N and IUPAC letters."""
    text = draw(st.text(alphabet="ACGTacgtNNRy", min_size=1, max_size=400))
    positions = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    spans = draw(st.lists(positions, min_size=1, max_size=most_rows))
    reverse = draw(st.lists(st.booleans(), min_size=len(spans), max_size=len(spans)))
    whole = Sequences.from_strings([text])
    return Sequences.from_intervals(
        whole.buffer, np.array([a for a, _ in spans]), np.array([b for _, b in spans]), np.array(reverse)
    )
