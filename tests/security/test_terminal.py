"""What others have written reaches nobody's terminal raw: in no command, on neither stream, also not as JSON."""

from __future__ import annotations

import json

import pytest

from tests.support.cli import Cli, Done
from tests.support.database import Database

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\rok\u202e\u2028"
NASTY = f"looked{EVIL}\nNothing stops this plan."
RAW = set("\x1b\x07\x9b\x7f\r\u202e\u2028")
FLAG = "USE_UNIFIED_CUSTOMERS"


def _clean(done: Done) -> str:
    text = done.out + done.err
    assert not RAW & set(text), [line for line in text.splitlines() if RAW & set(line)]
    return text


@pytest.mark.parametrize(
    "command",
    [
        ("history",),
        ("status",),
        ("flag", "list"),
        ("flag", "get", FLAG),
        ("flag", "history", FLAG),
        ("flag", "mismatches", FLAG),
        ("rejects", "list"),
        ("rejects", "show", "{reject}"),
        ("throttle", "show", "example"),
        ("plan", "check", "example"),
        ("doctor", "--plan", "example"),
    ],
)
def test_reasons_names_keys_and_rows(mirrored: Database, command: tuple[str, ...]) -> None:
    cli = Cli(mirrored.dsn)
    # With a line that looks like one of ours in each of them.
    cli.ok("flag", "set", FLAG, "--stage", "shadow", "--reason", NASTY, "--yes")
    _clean(cli("flag", "kill", FLAG, "--reason", NASTY))
    cli.ok("pause", "example", "--reason", NASTY)
    mirrored.run(f"""INSERT INTO public.customers_old (id, mail, name) VALUES (90, NULL, E'{_escaped(NASTY)}')""")
    with mirrored.connect() as conn:
        conn.execute("CREATE TABLE public.reader (customer integer REFERENCES public.customers_old)")
        name = f"v{EVIL}"[:40]
        conn.execute(f'CREATE VIEW public."{name}" AS SELECT id FROM public.customers_old'.encode())
    reject = str(mirrored.value("SELECT max(id) FROM changeover.reject"))
    given = tuple(reject if word == "{reject}" else word for word in command)
    text = _clean(cli(*given))
    if command[0] != "plan":
        assert "\nNothing stops this plan." not in text
    as_json = cli(*given, "--json")
    _clean(as_json)
    json.loads(as_json.out)


def test_errors_and_arguments(mirrored: Database) -> None:
    cli = Cli(mirrored.dsn)
    for arguments in (
        ("flag", "get", NASTY),
        ("status", "--plan", NASTY),
        ("start", NASTY),
        ("run", NASTY, "--plan", "example", "--stage", "s"),
        ("rejects", "show", NASTY),
        ("throttle", "set", "example", f"rest={NASTY}"),
        (NASTY,),
    ):
        for more in ((), ("--json",)):
            _clean(cli(*arguments, *more))


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" for c in text)
