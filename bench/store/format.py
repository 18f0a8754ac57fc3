"""The format that a folder of results is written in, and how files of older formats are read.

docs/results-format.md lists every file and field, and says when the number is raised.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Format of what is written. 1: until commit 0ff8f3f. 2: cell.json became result.json, the role "floor" became "null".
FORMAT = 2


def upgrade(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """The content of a file of an older format as this one would have it; the file stays as it is.

    Parameters
    ----------
    kind : name of the record's class: ResultRecord, FailureRecord, TaskRecord, PlanRecord, FoldsRecord.
    content : what the file holds, of a format that is not newer than ``FORMAT``. Not changed.
    """
    version = content.get("format")
    while isinstance(version, int) and (step := _STEPS.get(version)) is not None:
        version += 1
        content = {**step(kind, content), "format": version}
    return content


def _from_1(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    content = dict(content)
    if content.get("role") == "floor":
        content["role"] = "null"
    for name, value in _ADDED_WITHIN_1.get(kind, {}).items():
        content.setdefault(name, value)
    return content


#: How a file of a format becomes one of the next.
_STEPS: dict[int, Callable[[str, dict[str, Any]], dict[str, Any]]] = {1: _from_1}

#: Fields that format 1 did not demand: its first files, and predictions from elsewhere, lack some.
_ADDED_WITHIN_1: dict[str, dict[str, Any]] = {
    "ResultRecord": {
        "role": "sequence",
        "gc_only": False,
        "kind": "table",
        "deep": False,
        "stochastic": True,
        "joint": [],
        "threads": 0,
        "fitted_rows": [],
        "history": [],
        "versions": {},
        "finished": "",
    },
    "TaskRecord": {"split": "", "strata": [], "covariates": []},
}
