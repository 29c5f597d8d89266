from dataclasses import replace
from pathlib import Path

from model.zoo.table import Plot, Table, write_table

TABLE = Table("one", "One", "Begins.", ("a", "b"), [("1", "2")], "Ends.", [Plot("p.svg", "Plot")])


def test_a_table_takes_the_place_of_the_one_before_and_leaves_the_rest(tmp_path: Path) -> None:
    document = tmp_path / "figures.md"
    document.write_text("# Figures\n\nBy hand.\n")
    write_table(TABLE, document)
    write_table(replace(TABLE, key="two", title="Two"), document)
    document.write_text(document.read_text() + "\nRead by hand.\n")
    before = document.read_text()
    write_table(TABLE, document)
    assert document.read_text() == before
    write_table(replace(TABLE, rows=[("3", "4")]), document)
    after = document.read_text()
    assert "| 3 | 4 |" in after and after.count("| 1 | 2 |") == 1
    assert after.startswith("# Figures\n\nBy hand.\n") and after.endswith("\nRead by hand.\n")
    assert "![Plot](figures/p.svg)" in after
