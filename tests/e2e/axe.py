"""What axe-core finds wrong with a page for people who cannot see it well, or use no mouse."""

from pathlib import Path

from playwright.sync_api import Page

from tests.processes import REPOSITORY

SCRIPT = REPOSITORY / "services" / "web" / "ui" / "node_modules" / "axe-core" / "axe.min.js"

LOOK = """async () => {
  const found = await axe.run(document, { resultTypes: ['violations'], preload: false });
  return found.violations
    .filter((violation) => ['serious', 'critical'].includes(violation.impact))
    .flatMap((violation) => violation.nodes.map((node) =>
      `${violation.id}: ${node.target.join(' ')}: ${(node.failureSummary || '').replace(/\\s+/g, ' ')}`));
}"""


def serious(page: Page, script: Path = SCRIPT) -> list[str]:
    """Give what is of serious or critical impact on the page as it stands: the rule, the place, and why.

    Evaluated from outside of the page, so that its content policy does not matter. Animations are to be over.
    Nothing is loaded beforehand: rules for sound need it, and it writes styles that the policy refuses.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(script.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(LOOK)
    return found
