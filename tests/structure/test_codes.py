"""What is said to a person has a code: the source, the catalogue and the page's dictionaries agree.

An error is raised as `NotFoundError("camera-missing", camera=id)`. A new one wants three lines: the English
text in `services/core/sentences/`, and one for each language in `services/web/ui/src/strings/codes.*.json`.
"""

import ast
import json
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.core import errors
from services.core.costs import REASONS
from services.core.sentences.sentence import CATALOGUE, OTHER
from tests.structure.conftest import REPOSITORY, Source

STRINGS = REPOSITORY / "services/web/ui/src/strings"
LANGUAGES = ("en", "de")

ERRORS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.SightlineError)
}
NEVER_SHOWN = {"BadMessageError", "StoppedError"}
"""Of the bus, which counts it and passes over it, and of the command line, which ends."""

COMMAND_LINE = (
    *("services/cli/", "model/"),
    *("services/common/bus/nats/connection.py", "services/common/connections/", "services/common/logs.py"),
    *("services/common/database/link.py", "services/common/database/transfer.py"),
    *("services/common/rtsp/gstreamer.py", "services/common/settings/", "services/web/auth/first_admin.py"),
    *("services/detector/count_file.py", "services/detector/decode/file.py", "services/detector/infer/"),
    "services/ingest/video_server.py",
)
"""Said also while a command begins or ends, to whoever started it: these texts may be without a code."""

MAKERS = {"sentence", "said"}
CODE = re.compile(r"[a-z]+(-[a-z]+)*")
ENGINE = re.compile(r"(engine|trial)(-[a-z]+)+")


def _called(node: ast.Call) -> str:
    function = node.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _calls(source: Source) -> Iterator[ast.Call]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and node.args and _called(node) in ERRORS | MAKERS:
            yield node


def _code(node: ast.Call) -> str | None:
    first = node.args[0]
    is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
    return first.value if is_text and first.value in CATALOGUE else None


def _is_text(node: ast.expr) -> bool:
    """Return whether an expression is a text and no sentence, as far as its form says."""
    if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
        return True
    if isinstance(node, ast.IfExp):
        return _is_text(node.body) or _is_text(node.orelse)
    return isinstance(node, ast.Call) and _called(node) in ("str", "format", "join")


def parameters_of(text: str) -> set[str]:
    """Give the names of the placeholders of a template."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def texts_without_code(source: Source) -> list[str]:
    """Give the places at which an error is made, or a problem is answered, of a text without a code."""
    found = []
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        said = {**dict.fromkeys(ERRORS - NEVER_SHOWN, 0), "problem": 1}.get(_called(node))
        if said is None or len(node.args) <= said:
            continue
        if _is_text(node.args[said]) and _code(node) is None:
            found.append(f"{source.path}:{node.lineno}")
    return found


def test_every_error_that_is_raised_has_a_code(sources: list[Source]) -> None:
    found = [
        place
        for source in sources
        if not source.path.startswith(COMMAND_LINE)
        for place in texts_without_code(source)
    ]
    assert not found, (
        "these say a text without a code, which the page cannot translate: add a code with its English text "
        "to services/core/sentences/, raise it as BadInputError('the-code', name=value), and say it in both "
        f"languages in {STRINGS.relative_to(REPOSITORY)}/codes.*.json: {found}"
    )


def test_a_text_without_a_code_is_found() -> None:
    text = """
raise BadInputError("this is wrong")
raise errors.StreamError(f"{camera} is away")
raise ConflictError(str(error))
raise BadInputError("camera-none", camera=1)
raise BadInputError(f"{place} is wrong" if place else wrong)
problem(404, "nothing here")
raise BadMessageError("broken")
raise NotFoundError("camera-missing", camera=id)
raise StreamError(error.sentence)
"""
    source = Source("services/x.py", text, ast.parse(text))
    assert texts_without_code(source) == [f"services/x.py:{line}" for line in (2, 3, 4, 6, 7)]


def test_codes_are_given_the_parameters_of_their_texts(sources: list[Source]) -> None:
    wrong = {}
    for source in sources:
        for node in _calls(source):
            code = _code(node)
            given = {keyword.arg for keyword in node.keywords}
            if code is not None and given != parameters_of(CATALOGUE[code]):
                wrong[f"{source.path}:{node.lineno}"] = (code, given, parameters_of(CATALOGUE[code]))
    assert not wrong, f"(code, given, wanted): {wrong}"


def test_makers_of_sentences_name_codes_of_the_catalogue(sources: list[Source]) -> None:
    unknown = [
        f"{source.path}:{node.lineno}"
        for source in sources
        if not source.path.startswith("services/core/sentences/")
        for node in _calls(source)
        if _called(node) == "sentence" and _code(node) is None
    ]
    assert not unknown, f"add these codes to services/core/sentences/: {unknown}"


def test_every_code_of_the_catalogue_is_said_somewhere(sources: list[Source]) -> None:
    said = {_code(node) for source in sources for node in _calls(source)}
    assert CATALOGUE.keys() - said == {OTHER}, (
        "remove these codes from services/core/sentences/ and codes.*.json"
    )


def test_codes_of_engines_stand_for_reasons(sources: list[Source]) -> None:
    named = {
        node.value
        for source in sources
        if source.path.startswith("services/detector/")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ENGINE.fullmatch(node.value)
    }
    assert named == REASONS.keys()


def test_codes_are_words_with_hyphens() -> None:
    assert not [code for code in CATALOGUE if CODE.fullmatch(code) is None]


def _dictionary(language: str) -> dict[str, str]:
    text = (Path(STRINGS) / f"codes.{language}.json").read_text(encoding="utf-8")
    pairs: list[tuple[str, str]] = json.loads(text, object_pairs_hook=list)
    assert len(dict(pairs)) == len(pairs), "a code stands there twice"
    return dict(pairs)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_a_sentence_for_every_code(language: str) -> None:
    sentences = _dictionary(language)
    assert sentences.keys() == CATALOGUE.keys()
    wrong = {
        code: text
        for code, text in sentences.items()
        if not text.strip() or parameters_of(text) != parameters_of(CATALOGUE[code])
    }
    assert not wrong, "empty, or with other parameters than the catalogue has"


def test_the_languages_of_the_page_differ() -> None:
    english, german = map(_dictionary, LANGUAGES)
    assert {code for code in english if english[code] == german[code]} == {OTHER}
