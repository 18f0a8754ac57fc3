"""Cards: printed by the command, and the same in docs/datasets.md."""

import runpy
from pathlib import Path

from calls import call, refused

from bench.plugins.registry import Registry

ROOT = Path(__file__).parents[2]


def test_the_page_has_the_cards_of_the_code():
    made = runpy.run_path(str(ROOT / "scripts" / "data_cards.py"))
    page = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
    assert made["page"](page) == page, "run python scripts/data_cards.py"
    names = Registry(dropped=False).names("dataset")
    assert [line for line in page.splitlines() if line.startswith("### `")] == [f"### `{name}`" for name in names]


def test_the_command_prints_a_card(monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    status, printed, _ = call("data", "card", "sure2019")
    assert status == 0
    assert "THE COPY IN MPRA-MNIST IS GC-BALANCED" in printed
    assert "holdout[valid=chr18,test=chr8]" in printed
    assert "13 targets" not in printed
    status, printed, _ = call("data", "card", "fly-promoters")
    assert "it comes with the package" in printed
    assert "Did you mean 'sure2019'" in refused("data", "card", "sure2018")


def test_a_third_party_data_set_has_one(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "mine.py").write_text(
        "from bench.dataset import Dataset\nfrom bench.tasks.spec import TargetSpec, TaskSpec\n\n\n"
        "class Mine(Dataset):\n    name = 'mine-of-all'\n    title = 'Forty rows'\n\n    def spec(self):\n"
        "        return TaskSpec(name=self.name, title='x', assay='an assay of my own',\n"
        "                        targets={'y': TargetSpec(replicates=['a', 'b'])})\n"
    )
    status, printed, error = call("data", "card", "mine-of-all", "--plugin", tmp_path / "mine.py")
    assert status == 0, error
    assert "an assay of my own" in printed
    assert "y (2 replicates)" in printed
