"""GRANT and REVOKE on what the plan has made.

A grant is taken back by revoking the same. A REVOKE (of what everybody may do with a new function, say) goes with its
object. Rights on an object that the plan has not made are not for a plan to change, and neither is who is in a role.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from phases.actions import Action

if TYPE_CHECKING:
    from orchestrator.kernel.sqlcursor import Cursor

_KINDS: Final = {
    ("table",): "relation",
    ("sequence",): "relation",
    ("schema",): "schema",
    ("function",): "routine",
    ("procedure",): "routine",
    ("routine",): "routine",
    ("type",): "type",
    ("domain",): "type",
}
_ALL: Final = ("tables", "sequences", "functions", "procedures", "routines")


def grant(head: Cursor) -> Action | None:
    """The action, if the statement is one of the two and names what it is about."""
    verb = head.takes_one_of("grant", "revoke")
    if verb == "revoke":
        head.takes("grant", "option", "for")
    begins = head.here.start
    if not verb or not head.seek("on"):
        return None
    rights = head.text[begins : head.found[head.place - 1].start].strip()
    about = head.here.start
    own = _objects(head)
    word = "to" if verb == "grant" else "from"
    if not own or not head.here.says(word):
        return None
    objects = head.text[about : head.here.start].strip()
    head.takes(word)
    named = head.here.start
    if head.seek("granted", "by"):
        return None
    words = [token.text for token in head.found[-3:]]
    option = words == ["with", "grant", "option"]
    ends = head.found[-3].start if option else len(head.text)
    roles = " ".join(head.text[named:ends].split())
    subject = " ".join(objects.split())
    if verb == "revoke":
        return Action(id=f"revoke {rights} on {subject} from {roles}", statement=head.text, own=own, goes_with=True)
    return Action(
        id=f"grant {rights} on {subject} to {roles}",
        statement=head.text,
        inverse=f"REVOKE {rights} ON {objects} FROM {roles}",
        lock="none",
        own=own,
    )


def _objects(head: Cursor) -> tuple[str, ...]:
    """What the rights are on; () if that is no object that a plan makes."""
    if head.takes("all"):
        of_schema = head.takes_one_of(*_ALL) and head.takes("in", "schema")
        kind = "schema" if of_schema else ""
    else:
        kind = next((kind for words, kind in _KINDS.items() if head.takes(*words)), "relation")
    found = []
    while kind and (name := head.name()):
        head.arguments()
        found.append(f"{kind} {'.'.join(name)}")
        if not head.takes(","):
            return tuple(found)
    return ()
