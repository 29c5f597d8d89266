"""What the documents name is there, and each block of commands says whether it is run."""

import re
from collections.abc import Iterator

import pytest

from tests.docs.commands import OPERATIONS, REPOSITORY, Expectation, blocks_of

DOCUMENTS = (
    "README.md",
    "services/README.md",
    "docs/operations.md",
    "docs/troubleshooting.md",
    "docs/your-own-model.md",
)

LINK = re.compile(r"\]\((?!https?:)(?P<path>[^)#\s]*)(?:#(?P<section>[^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/?)`")
LABEL = re.compile(r"(?<=[\w,:;(][ (])\*\*([A-Z][^*|\n]*)\*\*")
"""What is bold within a sentence: a word of the page."""
STRINGS = REPOSITORY / "services/web/ui/src/strings/en"
FOLDERS = ("configmaps", "components", "docker", "docs", "k8s", "model", "overlays", "scripts", "services")
FILE = re.compile(r".+\.(md|py|sh|toml|ya?ml|js|conf|lock|Dockerfile)")
SOMEBODY_ELSES = {"data.yaml", "kustomization.yaml"}

MARKED = """\
text

<!-- run: kubectl -->
<!-- expect: made -->
<!-- expect not: gone -->
<!-- expect within 5 s: ^live$ -->
```sh
kubectl get pods
```

```yaml
a: b
```
<!-- not run: needs a screen -->
```sh
vlc
```
"""


def _section(heading: str) -> str:
    """The name under which GitHub links to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _dead_links(name: str) -> Iterator[str]:
    document = REPOSITORY / name
    for link in LINK.finditer(document.read_text(encoding="utf-8")):
        target = document.parent / link["path"] if link["path"] else document
        if not target.exists():
            yield link[0]
        elif link["section"]:
            headings = HEADING.findall(target.read_text(encoding="utf-8"))
            if link["section"] not in map(_section, headings):
                yield link[0]


def _missing_files(text: str) -> Iterator[str]:
    for name in CODE.findall(text):
        is_path = name.split("/")[0] in FOLDERS and "/" in name
        if (is_path or FILE.fullmatch(name)) and name not in SOMEBODY_ELSES:
            places = (REPOSITORY, REPOSITORY / "k8s", REPOSITORY / "docs", REPOSITORY / "services")
            if not any((place / name).exists() for place in places):
                yield name


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    assert not list(_dead_links(name))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_are_named_are_there(name: str) -> None:
    assert not list(_missing_files((REPOSITORY / name).read_text(encoding="utf-8")))


def test_a_file_that_is_not_there_is_found() -> None:
    text = "`configmaps/web.yaml` `configmaps/none.yaml` `k8s/` `components/none` `compose.yaml` `a/b` `web`"
    assert list(_missing_files(text)) == ["configmaps/none.yaml", "components/none", "compose.yaml"]


@pytest.mark.parametrize("name", ["docs/operations.md", "docs/troubleshooting.md"])
def test_what_the_page_is_said_to_show_is_there(name: str) -> None:
    shown = "".join(path.read_text(encoding="utf-8") for path in STRINGS.glob("*.ts"))
    labels = LABEL.findall((REPOSITORY / name).read_text(encoding="utf-8"))
    assert len(labels) > 1
    assert not [label for label in labels if f'"{label}"' not in shown]


def test_every_block_of_the_operations_says_whether_it_is_run() -> None:
    blocks = list(blocks_of(OPERATIONS.read_text(encoding="utf-8")))
    assert {block.place for block in blocks} == {"compose", "kubectl", None}


def test_marks_are_read() -> None:
    run, left = blocks_of(MARKED)
    assert (run.line, run.text, run.place, run.reason) == (7, "kubectl get pods\n", "kubectl", None)
    assert run.within_s == 5
    assert [expected.is_met("it was made\nlive\n") for expected in run.expectations] == [True, True, True]
    assert [expected.is_met("gone") for expected in run.expectations] == [False, False, False]
    assert (left.place, left.reason, left.expectations) == (None, "needs a screen", ())
    assert run.expectations[1] == Expectation("gone", is_absent=True)


@pytest.mark.parametrize(
    "mark",
    [
        "",
        "<!-- run: somewhere -->\n",
        "<!-- not run: no time -->\n",
        "<!-- run: compose -->\n<!-- not run: needs a screen -->\n",
        "<!-- run: compose -->\n\n",
        "<!-- run: compose -->\n<!-- expect soon: a -->\n",
    ],
)
def test_a_block_without_a_good_mark_is_refused(mark: str) -> None:
    with pytest.raises(ValueError, match="line "):
        list(blocks_of(f"text\n\n{mark}```sh\ntrue\n```\n"))
