"""The section of one task, and its line in the summary table, from the numbers of ``summary.json`` alone."""

from __future__ import annotations

from typing import Any

from bench.report import text
from bench.report.columns import (
    FITS,
    LEFT,
    SCORES,
    estimate,
    percent_estimate,
    point,
    signed_estimate,
)
from bench.report.sentences import parts_sentence, share_sentence, verdict_sentence
from bench.report.text import code, count, escape, joined, number, percent, percent_interval, signed

#: A task with more targets than this gets a matrix, and its tables are folded away.
FOLD_TARGETS = 4
#: Columns of the matrix, besides ceiling and share.
MATRIX_PAIRS = 6

SUMMARY_HEADER = [
    "task", "target", "n", "ceiling", "GC only", "best", "best deep", "GC's share of explainable [95 %]", "in words"
]  # fmt: skip


def anchor(summary: dict[str, Any]) -> str:
    """Anchor of a task's section."""
    return f"task-{text.slug(summary['task']['name'])}"


# ---- the summary table ---------------------------------------------------------------------------------------------
def summary_rows(summary: dict[str, Any], only: bool) -> list[list[str]]:
    """Lines of the summary table: one a board."""
    rows = []
    splits = {board["target"]: 0 for board in summary["boards"]}
    for board in summary["boards"]:
        splits[board["target"]] += 1
    for board in summary["boards"]:
        name = f"[{escape(summary['task']['name'])}](#{anchor(summary)})" + (" *(summary only)*" if only else "")
        target = escape(board["target"])
        if splits[board["target"]] > 1:
            target += f" · {code(board['split'])}"
        share = board["share"]
        rows.append(
            [
                name,
                target,
                count(board["n"]),
                number(board["ceiling"]["value"]),
                _short(board, "best_gc"),
                _short(board, "best"),
                _short(board, "best_deep"),
                percent_estimate(share["of_explainable"]) if share else text.NOTHING,
                share_sentence(board, short=True),
            ]
        )
    return rows


def _short(board: dict[str, Any], which: str) -> str:
    row = find(board, board[which])
    return text.NOTHING if row is None else f"{estimate(row['score'])} {pair_short(row)}"


def pair_short(row: dict[str, Any]) -> str:
    """``featurizer + model`` without marks."""
    return f"{code(row['featurizer'])} + {code(row['model'])}"


def find(board: dict[str, Any], key: str | None) -> dict[str, Any] | None:
    """The row of a board by its ``featurizer + model``."""
    return next((row for row in board["results"] if row["name"] == key), None)


def notes(summary: dict[str, Any]) -> list[str]:
    """The task's note as a line for below the summary table: what the data are not belongs beside the numbers."""
    note = summary["task"].get("note")
    return [f"- **{escape(summary['task']['name'])}**: {escape(note)}"] if note else []


# ---- a task --------------------------------------------------------------------------------------------------------
def task_section(summary: dict[str, Any], *, only: bool, pictures: dict[str, str]) -> list[str]:
    """Lines of a task's section. ``pictures`` maps a picture's key (``scores``, ``fit:<board>``) to its path beside
    leaderboard.md."""
    task = summary["task"]
    boards = summary["boards"]
    title = f": {escape(task['title'])}" if task.get("title") else ""
    lines = [f'<a id="{anchor(summary)}"></a>', "", f"## {escape(task['name'])}{title}", ""]
    if task.get("note"):
        lines += [f"> **Note.** {escape(task['note'])}", ""]
    if only:
        lines += ["*Summary only: these numbers were published without the predictions they were computed from.*", ""]
    lines += _facts(task)
    if not boards:
        lines += ["No finished result yet.", ""]
    many = len({board["target"] for board in boards}) > FOLD_TARGETS
    if many:
        lines += _matrix(boards)
    if "scores" in pictures:
        lines += [f"![Scores of {escape(task['name'])} under the ceiling]({pictures['scores']})", ""]
    for i, board in enumerate(boards):
        body = _board(board, pictures.get(f"fit:{i}"))
        if many:
            head = f"<details><summary><b>{escape(board['target'])}</b>: {_one_line(board)}</summary>"
            lines += [head, "", *body, "</details>", ""]
        else:
            lines += [f"### {escape(board['target'])}, split {code(board['split'])}", "", *body]
    return lines + _skipped(summary.get("skipped", []))


def _facts(task: dict[str, Any]) -> list[str]:
    facts = [
        ("Assay", escape(task.get("assay", ""))),
        ("Organism, genome", ", ".join(escape(task[key]) for key in ("organism", "genome") if task.get(key))),
        ("Strand", {"stranded": "part of the measurement", "free": "free: orientation does not matter"}.get(
            task.get("orientation", ""), "")),
        ("Rows", count(task["rows"])),
        ("Counted while reading", "; ".join(f"{escape(k)}: {count(v)}" for k, v in task.get("counts", {}).items())),
        ("Citation", escape(task.get("citation", ""))),
        ("Licence", escape(task.get("licence", ""))),
        ("Data digest", code(str(task.get("digest", ""))[:16])),
    ]  # fmt: skip
    return [*(f"- {name}: {value}" for name, value in facts if value), ""]


def _one_line(board: dict[str, Any]) -> str:
    pieces = [f"ceiling {number(board['ceiling']['value'])}"]
    for key, label in (("best_gc", "GC only"), ("best", "best"), ("best_deep", "best deep")):
        row = find(board, board[key])
        pieces += [] if row is None else [f"{label} {number(point(row['score']))}"]
    return ", ".join(pieces)


def _matrix(boards: list[dict[str, Any]]) -> list[str]:
    pairs: dict[str, list[float]] = {}
    shown: dict[str, dict[str, Any]] = {}
    for board in boards:
        for row in board["results"]:
            if row["role"] == "sequence" and row["score"]:
                pairs.setdefault(row["name"], []).append(row["score"]["value"])
                shown[row["name"]] = row
    # The best pair of every featurizer, by the mean over the targets it was run on.
    ranked = sorted(pairs, key=lambda name: (-len(pairs[name]), -sum(pairs[name]) / len(pairs[name]), name))
    chosen: dict[str, str] = {}
    for name in ranked:
        chosen.setdefault(shown[name]["featurizer"], name)
    main = sorted(list(chosen.values())[:MATRIX_PAIRS], key=lambda name: -sum(pairs[name]) / len(pairs[name]))
    header = ["target", "ceiling", *(pair_short(shown[name]) for name in main), "ρ(GC, y)", "GC's share of explainable"]
    several = len({board["split"] for board in boards}) > 1
    rows = []
    for board in boards:
        scores = []
        for name in main:
            row = find(board, name)
            scores.append(text.NOTHING if row is None else joined(number(point(row["score"])), _letter(row)))
        rows.append(
            [
                escape(board["target"]) + (f" · {code(board['split'])}" if several else ""),
                number(board["ceiling"]["value"]),
                *scores,
                signed(point(board["rho_gc"])),
                percent_estimate(board["share"]["of_explainable"]) if board["share"] else text.NOTHING,
            ]
        )
    above = "The best learner of each featurizer, over all targets; every table is below, folded."
    return [above, "", *text.table(header, rows, left=LEFT)]


def _letter(row: dict[str, Any]) -> str:
    return f"*{row['letter']}*" if row["letter"] else ""


# ---- a board -------------------------------------------------------------------------------------------------------
def _board(board: dict[str, Any], picture: str | None) -> list[str]:
    lines = []
    if board["results"]:
        lines += [f"**{share_sentence(board)}**", ""]
        parts = [parts_sentence(board["share"])] if board["share"] else []
        parts += [parts_sentence(share, windows=True) for share in board["shares_apart"]]
        lines += [f"{sentence}\n" for sentence in (*parts, verdict_sentence(board)) if sentence]
        lines += _above(board)
        lines += text.table([name for name, _ in SCORES], _rows(board), left=LEFT)
        lines += _held_fixed(board)
        lines += _fits(board)
        lines += [
            f"Split {code(board['split'])}. Scores are means over folds of the within-fold Spearman, never pooled over "
            f"folds; intervals from {count(board['draws'])} draws of loci.",
            "",
        ]
    lines += [f"- **Warning**: {escape(warning)}" for warning in board["warnings"]] + [""] * bool(board["warnings"])
    lines += _strata(board)
    if picture:
        lines += [f"![Predicted against measured, {escape(board['target'])}]({picture})", ""]
    lines += _failed(board)
    if board["left_out"]:
        lines += ["Left out:", "", *(f"- {escape(reason)}" for reason in board["left_out"]), ""]
    return lines


def _held_fixed(board: dict[str, Any]) -> list[str]:
    """Best learner, best deep one and GC itself under every way of holding GC fixed."""
    rows = board.get("held_fixed") or []
    if not rows:
        return []
    header = [
        "featurizer + model",
        "as it is",
        "given GC",
        "within GC bins",
        "AUROC, GC-matched",
        "on shuffles",
        "if GC were all",
    ]
    keys = ("score", "given_gc", "within_bins", "matched", "shuffled", "permuted")
    shown = [[code(row["name"]), *(estimate(row[key]) for key in keys)] for row in rows]
    lead = (
        "**GC held fixed.** The same predictions, first where GC cannot help: *AUROC, GC-matched* tells high from low "
        f"activity on {count(rows[0]['matched_rows'])} rows of the same GC (0.5 is chance), the others are Spearman "
        "correlations (0 is chance). Then where nothing but composition, or nothing but GC, can."
    )
    return [lead, "", *text.table(header, shown, left=LEFT)]


def _fits(board: dict[str, Any]) -> list[str]:
    """How the rows were fitted, folded away: Spearman on each part, time, device."""
    body = [[show(row, board) for _, show in FITS] for row in _ordered(board)]
    head = "<details><summary>How each was fitted: Spearman on each part, seeds, time, device, folds</summary>"
    return [head, "", *text.table([name for name, _ in FITS], body, left=LEFT), "</details>", ""]


def _ordered(board: dict[str, Any]) -> list[dict[str, Any]]:
    """Confounders, floor; then the sequence rows, best first."""
    results = sorted(board["results"], key=lambda row: (-_value(row), row["name"]))
    return [row for role in ("confounder", "null", "sequence") for row in results if row["role"] == role]


def _rows(board: dict[str, Any]) -> list[list[str]]:
    """Ceiling, confounders, floor; then the sequence rows, best first."""
    known = board["ceiling"]["value"] is not None
    ceiling = ["*ceiling (replicates)*", "", estimate(board["ceiling"] if known else None)]
    ceiling += ["100 %" if known else text.NOTHING]
    ceiling += [""] * (len(SCORES) - len(ceiling))
    return [ceiling, *([show(row, board) for _, show in SCORES] for row in _ordered(board))]


def _value(row: dict[str, Any]) -> float:
    value = point(row["score"])
    return -2.0 if value is None else value


def _above(board: dict[str, Any]) -> list[str]:
    ceiling = board["ceiling"]
    if ceiling["value"] is None:
        reason = ceiling.get("reason") or "one replicate"
        lines = [f"- Ceiling: n/a ({escape(reason)}), so shares of the explainable variance are n/a too"]
    else:
        lines = [
            f"- Ceiling {estimate(ceiling)}: {ceiling['replicates']} replicates, mean Spearman between two of them "
            f"{number(ceiling['replicate_rho'])}, reliability of their mean {number(ceiling['reliability'])}"
        ]
        if ceiling.get("product") is not None:
            lines.append(
                f"- Unequal replicates: {code(board['best'])} explains {percent(ceiling['product'])} of the "
                f"explainable variance by the product form, {percent(ceiling['mean_form'])} by the mean form"
            )
        if ceiling.get("given_dna") is not None:
            lines.append(
                f"- Ceiling given log DNA (the replicates share one DNA library): {number(ceiling['given_dna'])}"
            )
    if ceiling.get("halves"):
        halves = ceiling["halves"]
        lines.append(
            f"- Ceiling by barcode halves, which share no barcode's DNA noise: {number(halves['value'])} (Spearman "
            f"between the halves {number(halves['rho'])})"
        )
    lines.append(f"- ρ(GC, y) {signed_estimate(board['rho_gc'])}")
    for row in board["confounders"]:
        name = escape(row["name"])
        lines.append(
            f"- ρ({name}, y) {signed_estimate(row['with_y'])}, ρ(GC, {name}) {signed_estimate(row['with_gc'])}"
        )
    lines.append(
        f"- Test rows {count(board['n'])} in {count(board['loci'])} loci, effective n {count(board['effective_n'])}; "
        f"tied values {percent(board['tied'])}"
    )
    sizes = board["sizes"]
    lines.append(
        f"- {board['folds']} fold{'s' * (board['folds'] != 1)} {code(board['folds_digest'])}; rows a fold: train "
        f"{_range(sizes['train'])}, valid {_range(sizes['valid'])}, test {_range(sizes['test'])}"
    )
    copies = board.get("duplicates")
    if copies:
        lines.append(
            f"- Test rows whose bases stand among training or validation rows: {count(copies['exact'])} exact,"
            f" {count(copies['reverse_complement'])} reverse-complemented"
        )
    return [*lines, ""]


def _range(sizes: list[int]) -> str:
    if not sizes:
        return text.NOTHING
    low, high = min(sizes), max(sizes)
    return count(low) if low == high else f"{count(low)}–{count(high)}"


def _strata(board: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, rows in board["strata"].items():
        header = [escape(name), "n", "ceiling", "ρ(GC, y)", "GC only", "best", "best given GC"]
        header.append("GC's share of explainable [95 %]")
        lines += text.table(
            header,
            [
                [
                    escape(row["level"]) if row["level"] is not None else "*pooled*",
                    count(row["n"]),
                    number(row["ceiling"]),
                    signed_estimate(row["rho_gc"]),
                    estimate(row["gc"]),
                    estimate(row["best"]),
                    estimate(row.get("given_gc")),
                    joined(percent(row["share"]), percent_interval(*row.get("share_interval", (None, None)))),
                ]
                for row in rows
            ],
        )
    return lines


def _failed(board: dict[str, Any]) -> list[str]:
    if not board["failed"]:
        return []
    lines = ["Failed results (not scored; `bench run` tries them again):", ""]
    lines += [
        f"- {code(f['featurizer'])} + {code(f['model'])}, seed {f['seed']}: **failed**: {escape(f['reason'])} "
        f"(log: {code(f['log'])})"
        for f in board["failed"]
    ]
    return [*lines, ""]


def _skipped(skipped: list[dict[str, Any]]) -> list[str]:
    """Pairs that were not run, or a featurizer alone where the task has not what it needs."""
    if not skipped:
        return []
    lines = ["<details><summary>Pairs that make no sense here were skipped</summary>", ""]
    for skip in skipped:
        names = [code(skip[what]) for what in ("featurizer", "model") if skip.get(what)]
        lines.append(f"- {' + '.join(names)}: {escape(skip.get('reason', ''))}")
    return [*lines, "", "</details>", ""]
