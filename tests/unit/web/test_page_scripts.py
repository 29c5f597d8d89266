"""The page's own unit tests, which run in Node."""

import re

from tests.page_tools import PAGE, run_node, run_tool


def test_the_page_keeps_what_its_tests_say() -> None:
    run_tool("typescript/bin/tsc", "-p", "tsconfig.test.json")
    sources = sorted((PAGE / "tests").glob("*.test.ts"))
    built = [str(PAGE / "node_modules" / ".tests" / "tests" / f"{path.stem}.js") for path in sources]
    passed = re.search(r"^# pass (\d+)$", run_node("--test", "--test-reporter=tap", *built), re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > len(sources)
