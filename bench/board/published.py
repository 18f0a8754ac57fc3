"""Reads ``summary.json`` of any format: older ones are upgraded, newer ones refused in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from bench.board.schema import SUMMARY_FORMAT, Summary
from bench.errors import BenchError
from bench.files.atomic import CHECKSUM, has_its_checksum, read_json

#: A JSON object of an older format, before it is upgraded.
Json: TypeAlias = dict[str, Any]


def read_summary(path: Path) -> Summary | None:
    """The summary in a file, upgraded; None where there is none.

    Raises
    ------
    BenchError : status 2 for a newer format; status 1 for a summary that lacks something.
    """
    content = None if path.is_symlink() else read_json(path)
    if content is not None and CHECKSUM in content and not has_its_checksum(content):
        raise _unreadable(path, "does not have the checksum that it was written with")
    if content is None or not isinstance(version := content.get("format"), int) or "boards" not in content:
        return None  # cut off, or of another program
    if version > SUMMARY_FORMAT:
        raise BenchError(f"{path}: written by a newer version of bench. Upgrade bench to read it.")
    if content.pop(CHECKSUM, None) is None and version > 1:
        raise _unreadable(path, "has no checksum")
    try:
        return Summary.model_validate(upgrade(content))
    except ValidationError as error:
        trouble = f"has no proper {'.'.join(map(str, error.errors()[0]['loc']))!r}"
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        trouble = f"is no summary of format {version}"
    raise _unreadable(path, trouble)


def _unreadable(path: Path, trouble: str) -> BenchError:
    return BenchError(f"{path}: {trouble}. Delete the file and run `bench report` where its predictions are.", status=1)


def upgrade(content: Json) -> Json:
    """The JSON of a summary of any older format in the present one."""
    version = content["format"]
    while version < SUMMARY_FORMAT:
        content = _UPGRADES[version](content)
        version += 1
    return {**content, "format": version}


#: Words of format 1 and what they are called since.
_VERDICTS = {"counter": "GC-only", "grammar": "beyond GC"}
_ROLES = {"floor": "null"}


def _renamed(content: Json, names: dict[str, str]) -> Json:
    return {names.get(key, key): value for key, value in content.items()}


def _from_1(content: Json) -> Json:
    skipped = [{key: skip.get(key) for key in ("featurizer", "model", "reason")} for skip in content.get("skipped", [])]
    return {**content, "boards": [_board_from_1(board) for board in content["boards"]], "skipped": skipped}


def _board_from_1(board: Json) -> Json:
    figures = {"beyond": "beyond_gc", "shuffled": "dinucleotide_shuffled"}
    held = {
        "score": "unadjusted",
        "within_bins": "within_gc_bins",
        "matched": "gc_matched_auroc",
        "matched_rows": "gc_matched_rows",
        "permuted": "gc_only_null",
        **figures,
    }
    board = _renamed(board, {"cells": "rows"})
    verdict = board.get("verdict")
    if verdict:
        board["verdict"] = {**_renamed(verdict, figures), "word": _VERDICTS.get(verdict["word"], verdict["word"])}
    board["rows"] = [
        {
            **_renamed(row, figures),
            "verdict": _VERDICTS.get(row["verdict"], row["verdict"]),
            "role": _ROLES.get(row["role"], row["role"]),
        }
        for row in board["rows"]
    ]
    board["held_fixed"] = [_renamed(row, held) for row in board.get("held_fixed") or []]
    board["ceiling"] = _ceiling_from_1(board["ceiling"])
    board["share"] = _share_from_1(board.get("share"))
    board["shares_apart"] = [_share_from_1(share) for share in board.get("shares_apart") or []]
    board["strata"] = {name: [_stratum_from_1(row) for row in rows] for name, rows in board["strata"].items()}
    return board


def _ceiling_from_1(ceiling: Json) -> Json:
    gone = {"product", "product_gc", "mean_form", "reliability_gaussian"}
    rest = _renamed({k: v for k, v in ceiling.items() if k not in gone}, {"replicates_a_row": "replicates_per_row"})
    ends = {key: rest.pop(key, None) for key in ("value", "low", "high")}
    return {"estimate": None if ends["value"] is None else ends, **rest}


def _share_from_1(share: Json | None) -> Json | None:
    """Format 1 had shares in the mean form on normal scores; they stay as they were published."""
    if share is None:
        return None
    rest = {name: value for name, value in share.items() if name != "unique_of_explainable"}
    return _renamed(rest, {"r2_best": "best_of_explainable"})


def _stratum_from_1(row: Json) -> Json:
    rest = dict(row)
    value, (low, high) = rest.pop("share"), rest.pop("share_interval", None) or (None, None)
    return {**rest, "share": None if value is None else {"value": value, "low": low, "high": high}}


#: From each older format to the one after it.
_UPGRADES: dict[int, Callable[[Json], Json]] = {1: _from_1}
