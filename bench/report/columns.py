"""Columns of a board's tables: a heading, and what it shows of a row of ``summary.json``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.report import text
from bench.report.text import code, count, escape, interval, joined, number, percent, percent_interval, signed

#: A heading, and what its column shows of a row of a board.
Column = tuple[str, Callable[[dict[str, Any], dict[str, Any]], str]]

#: What the rows score, with intervals, seeds and rows beside the figures.
SCORES: list[Column] = [
    ("featurizer + model", lambda row, board: pair_name(row)),
    ("", lambda row, board: row["letter"] or ""),
    ("Spearman [95 %]", lambda row, board: estimate(row["score"])),
    ("% of ceiling", lambda row, board: percent(point(row["of_ceiling"]))),
    ("gain over GC [95 %]", lambda row, board: gain(row)),
    ("given GC", lambda row, board: estimate(row["given_gc"])),
    ("ρ(prediction, GC)", lambda row, board: sequence_only(row, signed_estimate(row["with_gc"]))),
    ("on shuffles", lambda row, board: sequence_only(row, estimate(row.get("shuffled")))),
    ("verdict", lambda row, board: verdict(row)),
    ("seeds", lambda row, board: seeds(row)),
    ("n", lambda row, board: count(row["n"])),
]

#: How they were fitted: a table of its own, since one of fifteen columns is wider than any page.
FITS: list[Column] = [
    ("featurizer + model", lambda row, board: pair_name(row)),
    ("Spearman on training rows", lambda row, board: number(row["train"])),
    ("on validation rows", lambda row, board: number(row["valid"])),
    ("on test rows", lambda row, board: number(point(row["score"]))),
    ("seeds", lambda row, board: str(len(row["seeds"]))),
    ("time", lambda row, board: text.seconds(row["seconds"])),
    ("device", lambda row, board: escape(row["device"])),
    ("folds", lambda row, board: code(board["folds_digest"])),
]

#: Headings of columns that hold words.
LEFT = frozenset(
    {
        "featurizer + model",
        "",
        "verdict",
        "device",
        "folds",
        "task",
        "target",
        "GC only",
        "best",
        "best deep",
        "in words",
    }
)


def estimate(value: dict[str, float | None] | None, digits: int = 3) -> str:
    """``0.489 [0.460, 0.517]`` of ``{"value", "low", "high"}``."""
    if not value:
        return text.NOTHING
    return joined(number(value["value"], digits), interval(value.get("low"), value.get("high"), digits))


def signed_estimate(value: dict[str, float | None] | None) -> str:
    """``+0.489 [0.460, 0.517]`` of ``{"value", "low", "high"}``."""
    if not value:
        return text.NOTHING
    return joined(signed(value["value"]), interval(value.get("low"), value.get("high")))


def point(value: dict[str, float | None] | None) -> float | None:
    """The figure itself."""
    return value["value"] if value else None


def percent_estimate(value: dict[str, float | None] | None) -> str:
    """``19 % [15, 24]`` of ``{"value", "low", "high"}``."""
    if not value:
        return text.NOTHING
    return joined(percent(value["value"]), percent_interval(value.get("low"), value.get("high")))


def pair_name(row: dict[str, Any]) -> str:
    """``featurizer + model``, with a mark for GC-only, deep, confounder and null model rows."""
    name = code(row["model"]) if row["role"] == "null" else f"{code(row['featurizer'])} + {code(row['model'])}"
    marks = [] if row["role"] == "sequence" else ["null model" if row["role"] == "null" else row["role"]]
    marks += ["GC"] if row["gc_only"] else []
    marks += ["deep"] if row["deep"] else []
    return joined(name, f"*({', '.join(marks)})*" if marks else "")


def gain(row: dict[str, Any]) -> str:
    """The paired gain over the GC-only row, or that this is that row."""
    if row["is_gc_baseline"]:
        return "*GC baseline*"
    if not row["gain"]:
        return text.NOTHING
    return joined(signed(row["gain"]["value"]), interval(row["gain"]["low"], row["gain"]["high"]))


def sequence_only(row: dict[str, Any], shown: str) -> str:
    """What is shown of a model that sees bases; nothing for confounders and the floor."""
    return shown if row["role"] == "sequence" else ""


def verdict(row: dict[str, Any]) -> str:
    """The word on whether a sequence model counts GC; nothing for GC itself, confounders and the floor."""
    return "" if row["role"] != "sequence" or row["gc_only"] else escape(row["verdict"])


def seeds(row: dict[str, Any]) -> str:
    """Number of seeds and the standard deviation of the score over them."""
    if row["spread"] is None:
        return str(len(row["seeds"]))
    return f"{len(row['seeds'])} (±{number(row['spread'])})"
