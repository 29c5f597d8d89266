"""The page's files, as the build made them."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PAGE_FOLDER = Path(__file__).resolve().parent / "ui" / "dist"

NOT_BUILT = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sightline</title></head>'
    "<body><p>The page is not built: run <code>make setup</code>. "
    'The API is there: <a href="/api/v1/docs">/api/v1/docs</a></p></body></html>'
)


class PageFiles(StaticFiles):
    """Files whose names carry a hash last; the others are asked for anew, so that an update shows at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Give a file with the time for which it may be kept."""
        response = await super().get_response(path, scope)
        is_hashed = path.startswith("assets/") and response.status_code == 200
        response.headers["Cache-Control"] = "max-age=31536000, immutable" if is_hashed else "no-cache"
        return response


def install_page(app: FastAPI, folder: Path = PAGE_FOLDER) -> None:
    """Serve the page at `/`, after all other routes; where it is not built, say so."""
    if (folder / "index.html").is_file():
        app.mount("/", PageFiles(directory=folder, html=True), name="page")
    else:
        app.add_api_route("/", _not_built, include_in_schema=False)


async def _not_built() -> HTMLResponse:
    return HTMLResponse(NOT_BUILT)
