"""What a browser has filled in: an `application/x-www-form-urlencoded` body, within a size and a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from orchestrator.kernel.errors import UsageError

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES: Final = 65_536
_SECONDS: Final = 5.0
_FIELDS: Final = 200


async def form_of(request: Request) -> dict[str, str]:
    """The fields, each once; raises UsageError for what is no form of ours."""
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise UsageError(f"The form is larger than {MOST_BYTES} bytes.", kept="Nothing was changed.")
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS)
    except TimeoutError as exc:
        raise UsageError("The form did not come in time.", kept="Nothing was changed.") from exc
    except ValueError as exc:
        raise UsageError("This is no form.", kept="Nothing was changed.") from exc
    # A zero byte is what PostgreSQL cannot store.
    return {name: value.replace("\0", "").strip() for name, value in pairs}
