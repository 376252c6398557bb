"""How the columns of the ledger's tables are described: each word one kind of column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Identity, Text, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.types import TypeEngine


def required(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]], default: str | None = None) -> Column[Any]:
    """A column that is never NULL."""
    return Column(name, kind, nullable=False, server_default=None if default is None else text(default))


def optional(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]]) -> Column[Any]:
    """A column that may be NULL."""
    return Column(name, kind, nullable=True)


def identity(kind: type[TypeEngine[Any]] = BigInteger) -> Column[Any]:
    """The number of a row, given by the database."""
    return Column("id", kind, Identity(always=True), primary_key=True)


def key(name: str, kind: type[TypeEngine[Any]] = Text, default: str | None = None) -> Column[Any]:
    """A column of the primary key that the writer gives, or most writers."""
    given = None if default is None else text(default)
    return Column(name, kind, primary_key=True, autoincrement=False, server_default=given)


def time(name: str) -> Column[Any]:
    """When the row was written."""
    return required(name, DateTime(timezone=True), "clock_timestamp()")  # of the statement: a batch lasts a while


def moment(name: str) -> Column[Any]:
    """When something happened that may not have happened yet."""
    return optional(name, DateTime(timezone=True))


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """A CHECK: the column has one of these values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")
