"""What axe-core finds wrong with a page for people who hear it, or use it by keyboard alone."""

from pathlib import Path

from playwright.sync_api import Page

REPOSITORY = Path(__file__).resolve().parents[2]
AXE = REPOSITORY / "services/web/ui/node_modules/axe-core/axe.min.js"
SERIOUS = ("serious", "critical")
RUN = "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"


def serious(page: Page) -> list[str]:
    """Give what is serious, each with the first place where it is."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(RUN)
    return [
        f"{one['id']}: {one['help']} ({one['nodes'][0]['html'][:160]})"
        for one in found
        if one["impact"] in SERIOUS
    ]
