"""The card of a data set: what a reader must know of it, before anything is downloaded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: How the strand of the elements is told.
STRANDS = {"stranded": "part of the measurement", "free": "free: orientation does not matter"}
#: Replicates that a target is told of.
FEW = 3


def card_of(dataset: Any) -> tuple[tuple[str, str], ...]:
    """Headings and text of a data set's card, those that are empty left out.

    Parameters
    ----------
    dataset : a `bench.dataset.Dataset`.
    """
    spec = dataset.spec()
    facts = [
        ("what", str(dataset.title)),
        ("assay", spec.assay),
        ("organism", spec.organism),
        ("genome", spec.genome),
        ("strand", STRANDS.get(spec.orientation, "")),
        ("targets", "; ".join(_target(name, target) for name, target in spec.targets.items())),
        ("covariates", ", ".join(spec.columns.covariates)),
        ("strata", ", ".join(spec.columns.strata)),
        ("rows", ", ".join(f"{name} {least:g} or more" for name, least in spec.minimum.items())),
        ("split", "" if spec.split is None else str(spec.split)),
        ("files", _files(dataset)),
        ("citation", spec.citation),
        ("licence", spec.licence),
        ("note", spec.note),
    ]
    return tuple((name, " ".join(text.split())) for name, text in facts if text)


def _target(name: str, target: Any) -> str:
    count = len(target.replicates or target.rna)
    said = f"{name} ({count} replicates)" if count > 1 else f"{name} (one value, no noise ceiling)"
    return said if target.kind == "regression" else f"{said}, {target.kind}"


def _files(dataset: Any) -> str:
    if bring := getattr(dataset, "bring", ""):
        return f"bring {bring}; as {_list(each.name for each in dataset.brought)} in the data folder"
    if not dataset.files:
        return "none: it comes with the package"
    size = sum(file.bytes for file in dataset.files) / 1e6
    return f"{len(dataset.files)} ({size:.1f} MB), fetched by `bench data fetch {dataset.name}`"


def _list(names: Iterable[str]) -> str:
    several = [*names]
    return ", ".join(several) if len(several) <= FEW else f"{', '.join(several[:FEW])} and {len(several) - FEW} more"
