"""The kubectl of the lock file, without anybody's own configuration."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

KUBECTL = Path(sys.executable).with_name("kubectl")
TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Runs kubectl against one server."""

    url: str
    home: Path
    """Where it may keep what it has discovered."""

    options: tuple[str, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"KUBECONFIG": os.devnull, "HOME": str(self.home)}

    def command(self, *arguments: str | Path) -> list[str | Path]:
        """The command line for this server."""
        return [KUBECTL, "--server", self.url, *self.options, *arguments]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run it and give what it says, whether it succeeds or not."""
        return subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            env=self.environment,
        )

    def __call__(self, *arguments: str | Path) -> str:
        """Run it, and give its output; fails with its complaint."""
        result = self.run(*arguments)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def refused(self, *arguments: str | Path) -> str:
        """Run what has to fail, and give the complaint."""
        result = self.run(*arguments)
        assert result.returncode != 0, result.stdout
        return result.stderr
