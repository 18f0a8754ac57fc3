"""Text of data files and strangers stays text: the board has the structure that it has with harmless words."""

import json
import re
from urllib.parse import unquote

import numpy as np
import pytest
from markdown_it import MarkdownIt
from rich.console import Console
from small_tasks import write_small_task
from stored import description

from bench.plugins.registry import Registry
from bench.report import write_board
from bench.run.execute import run_plan
from bench.run.plan import Selection, make_plan
from bench.store.external import score_predictions
from bench.store.record import SkipRecord
from bench.store.result import ResultId
from bench.store.store import Store

#: Markup that starts a line, ends a result, a block or a tag, and what terminals obey.
NASTY = [
    "# heading", "- entry", "1. entry", "---", "> quote", "```", "~~~", "    code", "<script>alert(1)</script>",
    "</details>", "<!--", "a | b | c", "[x](javascript:alert(1))", "![x](y.png)", "[x]: /evil", "`a`", "**a**", "$a$",
    "&lt;b&gt;", "a\u2028b", "\u202egnp", "../../up", "\\", "<https://evil.example>", "=cmd()",
]  # fmt: skip
#: What the board itself writes as HTML.
OWN_HTML = re.compile(r'<a id="[a-z0-9-]+">|</a>|</?details>|</?summary>|<details><summary>.*|</?b>|<sub>|</sub>')


class Texts:
    """Foreign text, one after the other; "plain" words in the same places for comparison."""

    def __init__(self, nasty: bool) -> None:
        self.nasty, self.number = nasty, 0

    def __call__(self, *, line: bool = True) -> str:
        self.number += 1
        if not self.nasty:
            return f"word {self.number}"
        text = NASTY[self.number % len(NASTY)]
        return text if line else text.replace("\u2028", " ")


def results(home, text):
    """An output folder whose every foreign text comes from ``text``."""
    task = write_small_task(home / "data", rows=120)
    table = task.with_suffix(".tsv")
    head, *rows = table.read_text().rstrip("\n").split("\n")
    levels = [text(line=False).replace("\t", " ").replace('"', "") for _ in range(2)]
    lines = [f"{head}\tclass", *(f"{row}\t{levels[i % 2]}" for i, row in enumerate(rows))]
    table.write_text("\n".join(lines) + "\n")
    said = ("title", "note", "assay", "organism", "genome", "citation", "licence")
    card = "".join(f"{key} = {json.dumps(text())}\n" for key in said)
    strata = f"[columns.strata]\n{json.dumps(text())} = 'class'\n"
    content = task.read_text().replace("[columns.covariates]", f"{strata}[columns.covariates]")
    task.write_text(card + content)

    plugin = home / "fails.py"
    plugin.write_text(FAILS.replace("MESSAGE", repr(f"{text()}\n{text()}")))
    store = Store(home / "out")
    registry = Registry([plugin], folder=home)
    asked = Selection((str(task),), ("gc", "fails"), ("ridge", "mean"))
    plan = make_plan(asked, registry, store)
    outcome = run_plan(plan, registry, store, Console(quiet=True))
    assert len(outcome.failed) == 1
    planned = plan.tasks[0]
    predictions = home / "p.tsv"
    value = planned.task.targets["t0"].value
    for which in range(len(NASTY) // 2):
        noise = np.random.default_rng(which).normal(0, 0.1, len(value))
        rows = "\n".join(f"{row}\t{number}" for row, number in zip(planned.task.row_id, value + noise, strict=True))
        predictions.write_text(f"id\tprediction\n{rows}\n")
        names = [re.sub(r"[^\x20-\uffff]|[\u2028\u202e]", " ", text()) for _ in range(2)]
        score_predictions(
            store, planned.task, planned.folds, None, predictions, names[0], featurizer=names[1], deep=which % 2 == 0
        )
    folds = planned.folds
    for _ in range(3):
        store.write_failure(description(ResultId("small", "t0", folds.name, text(), text(), 0)), text())
    skipped = [
        SkipRecord(task="small", featurizer=text(), model=text(), reason=text(), what="")
        for _ in range(len(NASTY) // 3)
    ]
    store.write_skipped("small", skipped)
    (store.root / "small" / "t0" / folds.name / "none+mean" / "seed-0" / "result.json").write_text("{")
    return home / "out"


FAILS = """
from bench import Featurizer


class Fails(Featurizer):
    name = "fails"

    def transform(self, sequences):
        raise RuntimeError(MESSAGE)
"""


def structure(board):
    """Types of the blocks of a board, its HTML, and where its links and pictures lead."""
    blocks, tags, links = [], [], []
    for token in MarkdownIt("commonmark").enable("table").parse(board):
        blocks.append(token.type)
        if token.type == "html_block":
            tags += token.content.strip().split("\n")
        for child in token.children or []:
            if child.type not in ("text", "code_inline", "html_inline"):
                blocks.append(child.type)
            if child.type == "html_inline":
                tags.append(child.content)
            links += [child.attrs[key] for key in ("href", "src") if key in child.attrs]
    return blocks, tags, links


@pytest.mark.slow
@pytest.mark.usefixtures("with_pictures")
def test_no_foreign_text_changes_the_structure_of_the_board(tmp_path):
    found = {}
    for nasty in (False, True):
        home = tmp_path / str(nasty)
        out = results(home, Texts(nasty))
        before = {path for path in home.rglob("*") if not path.is_relative_to(out)}
        board = write_board(out).read_text(encoding="utf-8")
        assert set(tmp_path.iterdir()) <= {tmp_path / "False", tmp_path / "True"}
        assert {path for path in home.rglob("*") if not path.is_relative_to(out)} == before
        blocks, tags, links = structure(board)
        assert all(OWN_HTML.fullmatch(tag) for tag in tags), tags
        for link in links:
            assert link.startswith("#") or (out / unquote(link)).is_file(), link
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u202e]", board)
        found[nasty] = blocks, len(tags), len(links)
    assert found[True] == found[False]
