"""Thirteen reporter designs on the same liver elements (Klein et al. 2020)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.dataset import Dataset, RemoteFile, require_columns
from bench.datasets.reading import read_fasta, read_tsv
from bench.errors import BenchError
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec

if TYPE_CHECKING:
    import pandas as pd

_BASE = (
    "https://raw.githubusercontent.com/xp876/UniReg/79cfefe6178f81b8a618c8b62581e8710d38c102/Data/raw/GSE142696/"
)
_RATIOS = "klein2020/GSE142696_9MPRA.ActivityRatios.IndividualReps.tsv.gz"
_ELEMENTS = "klein2020/GSM4237954_9MPRA_elements.fa.gz"
#: Target -> the design's name in the file. Orientation and place of the element: 5'/3' = before and after the promoter.
DESIGNS = {
    "pGL4": "pGL4",
    "HSS": "HSS",
    "ORI": "ORI",
    "5-3-WT": "5'/3' WT",
    "5-3-MT": "5'/3' MT",
    "5-5-WT": "5'/5' WT",
    "5-5-MT": "5'/5' MT",
    "3-3-WT": "3'/3' WT",
    "3-3-MT": "3'/3' MT",
}
