"""Write the cards of the built-in data sets into docs/datasets.md, between its two marks.

python scripts/data_cards.py           write
python scripts/data_cards.py --check   exit status 1 where the page is not up to date
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.plugins.registry import Registry
from bench.tasks.cards import card_of

PAGE = Path(__file__).parents[1] / "docs" / "datasets.md"
BEGIN, END = "<!-- cards: written by scripts/data_cards.py -->", "<!-- end of cards -->"


def cards() -> str:
    """Every card as markdown."""
    registry = Registry(dropped=False)
    lines = []
    for name in registry.names("dataset"):
        if registry.entry("dataset", name).built_in:
            lines += ["", f"### `{name}`", ""]
            lines += [f"- **{heading}**: {text}" for heading, text in card_of(registry.find("dataset", name)())]
    return "\n".join([BEGIN, *lines, "", END])


def page(text: str) -> str:
    """The page with its cards written again."""
    before, _, rest = text.partition(BEGIN)
    return before + cards() + rest.partition(END)[2]


if __name__ == "__main__":
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    if "--check" in sys.argv:
        sys.exit(0 if new == old else f"{PAGE}: not up to date. Run python scripts/data_cards.py.")
    PAGE.write_text(new, encoding="utf-8")
