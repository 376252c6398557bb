"""The page: its addresses, its answers, and the stream that keeps what is seen up to date.

Each view is one question (`web.reading`), one template, and one address; below `/live` the same address gives the
changing part of the view again, as server-sent events, whenever it is different. A stream ends before the server's
bound for a request does, and the browser opens the next one. There are only so many streams at a time, so that flags
and health are answered however many people look; who comes later gets what there is now, and asks again in some
seconds. Without a script the page is the same, still.
"""

from __future__ import annotations

import asyncio
import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from orchestrator.web import reading, rendering
from orchestrator.web.acting import Acting
from orchestrator.web.bounds import MOST_CONNECTIONS
from orchestrator.web.people import COOKIE
from orchestrator.web.reading import GoneError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from starlette.requests import Request

    from orchestrator.settings import Settings
    from orchestrator.web.bounds import Refusals
    from orchestrator.web.looks import Look, Looks
    from orchestrator.web.people import People, Session
    from orchestrator.web.samples import Samples

    Read = Callable[[reading.Where, Mapping[str, str]], dict[str, Any]]

STREAM_S: Final = 25.0
_LOOK_S: Final = 1.0
_RETRY_MS: Final = 1000
_RETRY_LATER_MS: Final = 5000


class View(NamedTuple):
    """A page that one can look at."""

    title: str
    part: str
    """The template of what changes, which is all but the frame."""
    read: Read
    asks: tuple[str, ...] = ()
    """The names of its query that count."""
    charts: bool = False


VIEWS: Final = {
    "/": View("Plans", "live/overview.html", reading.overview, charts=True),
    "/plan": View("Plan", "live/plan.html", reading.plan, ("plan",), charts=True),
    "/flags": View("Flags", "live/flags.html", reading.flags),
    "/flag": View("Flag", "live/flag.html", reading.flag, ("flag",)),
    "/rejects": View(
        "Rejects", "live/rejects.html", reading.rejected, ("plan", "stage", "source", "reason", "state", "after")
    ),
    "/locks": View("Locks", "live/locks.html", reading.locks),
    "/history": View("History", "live/history.html", reading.history, ("plan",)),
}


class Pages:
    """The page's endpoints."""

    def __init__(  # noqa: PLR0913 - the options of the command
        self,
        where: reading.Where,
        people: People,
        looks: Looks,
        samples: Samples,
        settings: Settings,
        refusals: Refusals,
        *,
        open_reading: bool = True,
        https: bool = False,
        streams: int = MOST_CONNECTIONS // 2,
    ) -> None:
        """Without `open_reading` nobody sees anything before signing in; `streams` is how many there are at a time."""
        self._where, self._people, self._looks, self._samples = where, people, looks, samples
        self._open_reading = open_reading
        self._most_streams, self._streams = streams, 0
        self._templates = rendering.environment()
        self._refusals = refusals
        self._begins = where.launcher is not None
        self._acting = Acting(where, people, settings, refusals, self.page, looks.forget, https=https)

    def app(self) -> Starlette:
        """The routes."""
        views = [(path, view) for path, view in VIEWS.items()]
        return Starlette(
            routes=[
                *(Route(path, partial(self.see, path, view), methods=["GET"]) for path, view in views),
                *(Route(f"/live{path}", partial(self.live, path, view), methods=["GET"]) for path, view in views),
                *self._acting.routes(),
                Mount("/static", StaticFiles(packages=[("orchestrator.web", "static")])),
            ],
            exception_handlers={404: self._nothing, 405: self._nothing, Exception: self._failed},
        )

    async def see(self, path: str, view: View, request: Request) -> Response:
        """A view."""
        session = self._session(request)
        if session is None and not self._open_reading:
            return RedirectResponse("/session", 303)
        query = _query(request, view)
        found = await self._look(path, view, query)
        if isinstance(found.error, GoneError):
            return self.page(session, "gone.html", 404, words=str(found.error))
        live = rendering.url(f"/live{path}", **query)
        title = view.title if not query else " ".join(query.values())
        shown = self._shown(view, query, found)
        return self.page(session, "view.html", **shown, path=path, live=live, title=title, part=view.part)

    async def live(self, path: str, view: View, request: Request) -> Response:
        """Its changing part, again and again."""
        session = self._session(request)
        if session is None and not self._open_reading:
            return Response(status_code=204)  # tells a browser not to ask again
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        stream = self._stream(path, view, _query(request, view), session)
        return StreamingResponse(stream, media_type="text/event-stream")

    async def _stream(
        self, path: str, view: View, query: dict[str, str], session: Session | None
    ) -> AsyncIterator[bytes]:
        brief = self._streams >= self._most_streams
        self._streams += 1
        try:
            until = time.monotonic() + (0 if brief else STREAM_S)
            yield f"retry: {_RETRY_LATER_MS if brief else _RETRY_MS}\n\n".encode()
            before = None
            while True:
                text = self._part(view, query, await self._look(path, view, query), session, path)
                yield (
                    b": still the same\n\n" if text == before else f"event: page\ndata: {json.dumps(text)}\n\n".encode()
                )
                before = text
                if time.monotonic() >= until:
                    return
                await asyncio.sleep(_LOOK_S)
        finally:
            self._streams -= 1

    def _part(
        self, view: View, query: dict[str, str], found: Look[dict[str, Any]], session: Session | None, path: str
    ) -> str:
        if isinstance(found.error, GoneError):
            return self._templates.get_template("live/gone.html").render(words=str(found.error))
        part = self._templates.get_template(view.part)
        return part.render(self._context(session, self._shown(view, query, found), path=path))

    def page(self, session: Session | None, template: str, status: int = 200, /, **values: Any) -> Response:
        """A whole page."""
        notes = [] if session is None else [session.notes.pop() for _ in range(len(session.notes))]
        context = {"live": None, "path": "", "notes": notes[::-1], **values}
        text = self._templates.get_template(template).render(self._context(session, context))
        return HTMLResponse(text, status)

    def _context(self, session: Session | None, values: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        return {"me": session, "anybody": bool(self._people), "begins": self._begins, **values, **more}

    def _shown(self, view: View, query: dict[str, str], found: Look[dict[str, Any]]) -> dict[str, Any]:
        drawn = rendering.charts(self._samples.kept, query.get("plan")) if view.charts else []
        return {"found": found.value, "error": found.error, "at": found.at, "charts": drawn}

    async def _look(self, path: str, view: View, query: dict[str, str]) -> Look[dict[str, Any]]:
        key = (path, *sorted(query.items()))
        return await self._looks.look(key, partial(view.read, self._where, query))

    def _session(self, request: Request) -> Session | None:
        return self._people.session(request.cookies.get(COOKIE))

    async def _nothing(self, request: Request, _exc: Exception) -> Response:
        return self.page(self._session(request), "gone.html", 404, words="There is no such page.")

    async def _failed(self, request: Request, exc: Exception) -> Response:
        client = None if request.client is None else (request.client.host, request.client.port)
        self._refusals.note(client, f"a fault: {type(exc).__name__}: {exc}", path=request.url.path, status=500)
        return self.page(None, "gone.html", 500, words="The page has failed; the log has a line about it.")


def _query(request: Request, view: View) -> dict[str, str]:
    given = ((name, request.query_params.get(name, "").replace("\0", "")) for name in view.asks)
    return {name: value for name, value in given if value}
