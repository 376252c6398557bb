"""Signing in, and doing what `web.actions` has: forms, and what comes of them.

A form is shown by GET and carried out by POST at the same address; afterwards the browser is sent to the page that the
action is about, which tells the outcome. What is refused is told on the form itself, with what was kept and what to do,
and the form is as it was filled in.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from flags.stages import LADDER
from orchestrator.kernel.errors import ChangeoverError, UsageError, translate
from orchestrator.web.action import Action, By
from orchestrator.web.actions import ACTIONS
from orchestrator.web.forms import form_of
from orchestrator.web.moving import DEFAULT_UNTIL, digest, stages_of
from orchestrator.web.people import COOKIE, LASTS_S
from phases.registry import PHASES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from orchestrator.settings import Settings
    from orchestrator.web.bounds import Refusals
    from orchestrator.web.people import People, Session
    from orchestrator.web.reading import Where

    Page = Callable[..., Response]

_WRONG_TOKEN_S: Final = 0.5
_FIELDS: Final = {
    **dict.fromkeys(("reason", "changes", "to", "rollout", "stage", "kind", "to_phase"), ""),
    "until": DEFAULT_UNTIL,
}
"""What a person fills in, and what stands there first."""


class Acting:
    """The endpoints that change something."""

    def __init__(
        self,
        where: Where,
        people: People,
        settings: Settings,
        refusals: Refusals,
        page: Page,
        changed: Callable[[], None],
        *,
        https: bool,
    ) -> None:
        """`page` renders a template for a session; `changed` is called after each change."""
        self._where, self._people, self._settings = where, people, settings
        self._refusals, self._page, self._changed = refusals, page, changed
        self._https = https
        self._actions = {name: each for name, each in ACTIONS.items() if where.launcher is not None or not each.begins}
        self._wrong = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Their addresses."""
        return [
            Route("/session", self.ask, methods=["GET"]),
            Route("/session", self.sign_in, methods=["POST"]),
            Route("/session/end", self.sign_out, methods=["POST"]),
            *(Route(f"/do/{name}", partial(self.show, name), methods=["GET"]) for name in self._actions),
            *(Route(f"/do/{name}", partial(self.carry_out, name), methods=["POST"]) for name in self._actions),
        ]

    async def ask(self, request: Request) -> Response:
        """Ask for a token."""
        return self._page(self._session(request), "session.html", wrong=False)

    async def sign_in(self, request: Request) -> Response:
        """Begin a session."""
        try:
            token = (await form_of(request)).get("token", "")
        except UsageError:
            token = ""
        found = self._people.sign_in(token)
        if found is None:
            self._note(request, "a wrong token", 403)
            async with self._wrong:  # one guess at a time
                await asyncio.sleep(_WRONG_TOKEN_S)
            return self._page(None, "session.html", 403, wrong=True)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            *(COOKIE, found[0]), max_age=int(LASTS_S), httponly=True, samesite="strict", secure=self._https
        )
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        session = self._session(request)
        if session is None or not session.admits((await form_of(request)).get("csrf", "")):
            return self._refused(request)
        self._people.sign_out(request.cookies.get(COOKIE))
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE)
        return answer

    async def show(self, name: str, request: Request) -> Response:
        """The form of an action."""
        session = self._session(request)
        if session is None:
            return RedirectResponse("/session", 303)
        return await self._form(session, name, request.query_params)

    async def carry_out(self, name: str, request: Request) -> Response:
        """Do it, in the name of who has signed in."""
        session, action = self._session(request), ACTIONS[name]
        try:
            form = await form_of(request)
        except UsageError as exc:
            return self._page(session, "gone.html", 400, words=exc.what)
        if session is None or not session.admits(form.get("csrf", "")):
            return self._refused(request)
        if action.reason and not form.get("reason"):
            return await self._form(session, name, form, UsageError("A reason is needed.", kept="Nothing was changed."))
        try:
            told = await run_in_threadpool(action.do, self._by(session), form)
        except Exception as exc:  # noqa: BLE001 - what a driver says is translated, a fault of ours has its own page
            return await self._form(session, name, form, _told(exc))
        self._changed()
        session.notes.append(told)
        return RedirectResponse(action.back(form), 303)

    async def _form(
        self, session: Session, name: str, given: Mapping[str, str], error: ChangeoverError | None = None
    ) -> Response:
        action = ACTIONS[name]
        fields = {field: given[field] for field in action.about if given.get(field)}
        question, stages, trouble = await self._question(action, session, given)
        values: dict[str, Any] = {
            "action": action,
            "name": name,
            "fields": fields,
            "given": {key: given.get(key, default) for key, default in _FIELDS.items()},
            "ladder": LADDER,
            "phases": tuple(PHASES),
            "stages": stages,
            "question": question,
            "seen": digest(question),
            "trouble": error or trouble,
            "back": _back(action, given),
        }
        return self._page(session, "form.html", 200 if error is None else 409, **values)

    async def _question(
        self, action: Action, session: Session, given: Mapping[str, str]
    ) -> tuple[str | None, list[str], ChangeoverError | None]:
        """What is to be confirmed, the stages to choose from where there is a choice, and what is wrong."""
        by, stages = self._by(session), []
        try:
            if "stage" in action.asks:
                stages = await run_in_threadpool(stages_of, by, given)
            return await run_in_threadpool(action.question, by, given), stages, None
        except Exception as exc:  # noqa: BLE001 - as above
            return None, stages, _told(exc)

    def _by(self, session: Session) -> By:
        return By(self._where, self._settings, session.name, session.notes.append)

    def _session(self, request: Request) -> Session | None:
        return self._people.session(request.cookies.get(COOKIE))

    def _refused(self, request: Request) -> Response:
        self._note(request, "a form without a session, or from another page", 403)
        words = "This form is not of your session, or the session is over. Nothing was changed; sign in again."
        return self._page(self._session(request), "gone.html", 403, words=words)

    def _note(self, request: Request, why: str, status: int) -> None:
        client = None if request.client is None else (request.client.host, request.client.port)
        self._refusals.note(client, why, path=request.url.path, status=status)


def _told(exc: Exception) -> ChangeoverError:
    if isinstance(exc, KeyError):
        return UsageError("The address of this form lacks what it is about.", kept="Nothing was changed.")
    return translate(exc)


def _back(action: Action, given: Mapping[str, str]) -> str:
    try:
        return action.back(given)
    except KeyError:
        return "/"
