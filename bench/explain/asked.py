"""Designed sequences that wait to be predicted together."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bench.explain.designed import Codes
from bench.explain.subject import Subject

#: Sequences that are predicted at a time.
BATCH = 16_384


class Asked:
    """Sequences asked one by one and answered in order, in standard deviations of the model's predictions.

    Parameters
    ----------
    place : int64 (n,), places among a subject's test rows that sequences are designed from: each is predicted by the
        fold that tests the row, with the row's covariates.
    """

    def __init__(self, subject: Subject, place: NDArray[np.int64]) -> None:
        self._subject, self._place = subject, place
        self._codes: list[Codes] = []
        self._of: list[int] = []
        self._found: list[NDArray[np.float64]] = []

    def ask(self, codes: Codes, of: int) -> None:
        """Ask for a sequence that is designed from row number ``of`` of ``place``."""
        self._codes.append(codes)
        self._of.append(of)
        if len(self._codes) >= BATCH:
            self._flush()

    def ask_all(self, codes: Iterable[Codes], of: int) -> None:
        """Ask for several of one row."""
        for each in codes:
            self.ask(each, of)

    def _flush(self) -> None:
        of = self._place[np.array(self._of, np.int64)]
        sequences = self._subject.sequences(self._codes, self._subject.row[of])
        self._found.append(self._subject.predict(sequences, self._subject.fold[of]) / self._subject.spread)
        self._codes, self._of = [], []

    def answers(self) -> NDArray[np.float64]:
        """Predictions of all that was asked, float64 (asked,)."""
        if self._codes:
            self._flush()
        return np.concatenate(self._found) if self._found else np.zeros(0)
