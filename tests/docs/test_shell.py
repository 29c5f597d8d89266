"""The shell of the documents' blocks keeps what they set, and ends at the first command that fails."""

import os
from pathlib import Path

import pytest

from tests.docs.commands import Block, Expectation
from tests.docs.shell import Shell, open_shell


def _block(text: str, *expectations: Expectation) -> Block:
    return Block(1, text, "compose", None, expectations)


@pytest.fixture
def shell(tmp_path: Path):
    with open_shell(tmp_path, os.environ, {"here": "there"}) as opened:
        yield opened


def test_variables_and_functions_last(shell: Shell) -> None:
    shell.run(_block('a=1\nshout() { echo "$a $1!"; }\n'))
    assert shell.run(_block("shout here\ncat <<END\nword\nEND\n")) == "1 there!\nword\n\n"


def test_a_command_does_not_read_the_blocks_that_follow(shell: Shell) -> None:
    assert shell.run(_block("cat\n")) == "\n"
    assert "next" in shell.run(_block("echo next\n"))


@pytest.mark.parametrize("text", ["false\necho on\n", "echo $none\n", "(\n"])
def test_a_command_that_fails_ends_it(shell: Shell, text: str) -> None:
    with pytest.raises(AssertionError, match="line 1: a command failed"):
        shell.run(_block(text))


def test_output_is_waited_for(shell: Shell) -> None:
    growing = "echo x >> file\ncat file\n"
    assert shell.run(_block(growing, Expectation("x\nx", within_s=30))) == "x\nx\n\n"
    with pytest.raises(AssertionError, match="is not so: x"):
        shell.run(_block(growing, Expectation("y")))
