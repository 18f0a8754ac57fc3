"""Pickles that may hold only what is listed: reading one runs nothing of its writer's."""

from __future__ import annotations

import io
import pickle
from collections.abc import Collection
from typing import Any


class Restricted(pickle.Unpickler):
    """Knows the listed (module, name), and classes that are defined in modules whose names begin with ``ours``.

    Raises
    ------
    pickle.UnpicklingError : naming anything else that the bytes hold.
    """

    def __init__(self, content: bytes, safe: Collection[tuple[str, str]], ours: str | tuple[str, ...]) -> None:
        super().__init__(io.BytesIO(content))
        self._safe, self._ours = safe, ours

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self._safe:
            return super().find_class(module, name)
        if module.startswith(self._ours) and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"it holds {module}.{name}")
