"""The route of the WebSocket by which all that is live comes to a page: one connection a page.

A browser has six connections of HTTP/1.1 to a host, which seven pages with a stream each use up; WebSockets
do not count among them.
"""

from contextlib import closing
from http import HTTPStatus

from fastapi import APIRouter
from starlette.websockets import WebSocket

from services.common.http.problems import ProblemResponse, problem
from services.core.errors import StreamError, ThrottledError
from services.core.sentences.sentence import sentence
from services.web.auth.caller import LIVE_PATH, SCOPE_KEY, Caller
from services.web.auth.socket_guard import refuse
from services.web.context import WebContext
from services.web.live.session import LiveSession

router = APIRouter(tags=["live"])


@router.websocket(LIVE_PATH)
async def follow_live(socket: WebSocket) -> None:
    """Send pictures, tracks and cameras until the client leaves; refused when there are too many already."""
    context: WebContext = socket.app.state.context
    caller: Caller = socket.scope[SCOPE_KEY]
    try:
        slot = context.sockets.take(caller)
    except (StreamError, ThrottledError) as error:
        await refuse(socket, error)
        return
    with closing(slot):
        await socket.accept()
        await LiveSession(context, socket).run()


@router.get(LIVE_PATH, include_in_schema=False)
async def explain_live() -> ProblemResponse:
    """Say to what is no WebSocket that this is for one."""
    return problem(HTTPStatus.UPGRADE_REQUIRED, sentence("socket-wanted"), {"Upgrade": "websocket"})
