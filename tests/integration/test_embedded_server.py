"""The embedded server: starts for anybody, leaves nothing behind, however its user ends."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from orchestrator.demo import binaries, keeper
from orchestrator.demo.server import FAST, TEST_DSN, AttachedServer, EmbeddedServer, open_server
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import UsageError

ROOT = Path(__file__).parents[2]

HOLDER = """
import sys, time
from orchestrator.demo.server import FAST, EmbeddedServer
with EmbeddedServer(FAST) as server:
    pid, folder = server.identity()
    print(pid, folder, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(params=[each.major for each in binaries.installations()])
def installation(request: pytest.FixtureRequest) -> binaries.Installation:
    return next(each for each in binaries.installations() if each.major == request.param)


def gone(pid: int, folder: Path, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not Path(f"/proc/{pid}").exists() and not folder.exists():
            return True
        time.sleep(0.05)
    return False


def test_runs_as_somebody_harmless_and_vanishes(installation: binaries.Installation) -> None:
    with EmbeddedServer(FAST, installation) as server:
        pid, folder = server.identity()
        assert Path(f"/proc/{pid}").stat().st_uid != 0
        server.create_database("d")
        with connect(server.owner_dsn("d")) as conn:
            assert conn.info.server_version // 10000 == server.major == installation.major
            assert conn.execute("SELECT lower('É'), current_setting('fsync')").fetchone() == ("é", "off")
            conn.execute("CREATE TABLE t (i int)")
        wrong = psycopg.conninfo.make_conninfo(server.owner_dsn("d"), password="wrong")
        with pytest.raises(psycopg.OperationalError):
            connect(wrong)
    assert gone(pid, folder, 1)


def test_a_crash_keeps_what_was_committed(installation: binaries.Installation) -> None:
    with EmbeddedServer({"synchronous_commit": "on"}, installation) as server:
        server.create_database("d")
        with connect(server.owner_dsn("d")) as conn:
            conn.execute("CREATE TABLE t AS SELECT 1 AS i")
            server.crash()
            with pytest.raises(psycopg.OperationalError):
                conn.execute("SELECT 1")
        with connect(server.owner_dsn("d")) as conn:
            assert conn.execute("SELECT i FROM t").fetchone() == (1,)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, None])
def test_nothing_is_left_however_its_user_ends(how: signal.Signals | None) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as holder:
        assert holder.stdout is not None
        pid, folder = holder.stdout.readline().split()
        assert Path(os.fsdecode(folder)).exists()
        if how is None:
            holder.communicate(b"\n")
        else:
            holder.send_signal(how)
    assert gone(int(pid), Path(os.fsdecode(folder)))


def python_for(user: pwd.struct_passwd) -> str:
    """A Python that this user can run: ours may lie under /root. The keeper needs the standard library only."""
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        try:
            subprocess.run([python, "-V"], user=user.pw_uid, group=user.pw_gid, extra_groups=[], cwd="/", check=True)
        except (OSError, subprocess.SubprocessError):
            continue
        return python
    message = f"there is no Python that {user.pw_name} can run: this promise cannot be tested here"
    raise AssertionError(message)


@pytest.fixture
def public() -> Iterator[Path]:
    """A copy of the keeper that everybody can read."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    copy = Path(shutil.copy(keeper.__file__, folder))
    copy.chmod(0o644)
    yield copy
    shutil.rmtree(folder)


@pytest.fixture
def hidden() -> Iterator[Path]:
    """A copy of the binaries that only we can reach, as in a clone under /root."""
    found = binaries.locate()
    package = found.bin.parent.parent
    folder = Path("/root") / f"changeover-test-{os.getpid()}"
    folder.mkdir(mode=0o700)
    try:
        shutil.copytree(found.bin.parent, folder / package.name / found.bin.parent.name)
        for libraries in package.parent.glob(f"{package.name}.libs"):
            shutil.copytree(libraries, folder / libraries.name)
        yield folder / package.name / found.bin.parent.name / "bin"
    finally:
        shutil.rmtree(folder)


if os.getuid() == 0:
    # Two halves of one promise: as root we change the user, as a user we stay ourselves. Only root can show both.

    def test_binaries_that_the_servers_user_cannot_reach_are_copied(
        hidden: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(binaries.VARIABLE, str(hidden))
        copies = set[Path]()
        try:
            for _ in range(2):
                with EmbeddedServer(FAST) as server:
                    copies.add(server.installation.bin.parents[2])
        finally:
            for copy in copies:
                shutil.rmtree(copy)
        assert len(copies) == 1, "the second start uses the first one's copy"
        assert not hidden.is_relative_to(copies.pop())

    def test_an_ordinary_user_can_start_one(public: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """In a process that gave its rights up, with all modules loaded before: our clone may be for root only."""
        nobody = pwd.getpwnam("nobody")
        monkeypatch.setattr(sys, "executable", python_for(nobody))
        monkeypatch.setattr(keeper, "__file__", str(public))
        installation = binaries.reachable_by(binaries.locate(), nobody, Path("/tmp"))  # noqa: S108
        with EmbeddedServer(FAST, installation) as server:
            assert server.major == installation.major
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.setgroups([])
                os.setgid(nobody.pw_gid)
                os.setuid(nobody.pw_uid)
                with EmbeddedServer(FAST, installation) as server:
                    pid, _folder = server.identity()
                    os.write(writer, f"{Path(f'/proc/{pid}').stat().st_uid}".encode())
                status = 0
            finally:
                os._exit(status)
        os.close(writer)
        assert os.read(reader, 100).decode() == str(nobody.pw_uid)
        os.close(reader)
        assert os.waitpid(child, 0)[1] == 0


def test_an_attached_server_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = "SELECT datname FROM pg_database UNION ALL SELECT rolname FROM pg_roles ORDER BY 1"
    with EmbeddedServer(FAST) as host, connect(host.admin_dsn()) as admin:
        before = admin.execute(objects).fetchall()
        monkeypatch.setenv(TEST_DSN, host.admin_dsn())
        with open_server() as server:
            assert isinstance(server, AttachedServer)
            server.create_database("attached")
            with connect(server.owner_dsn("attached")) as conn:
                conn.execute("CREATE TABLE t (i int)")
        assert admin.execute(objects).fetchall() == before


def test_a_wrong_folder_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(binaries.VARIABLE, str(tmp_path))
    with pytest.raises(UsageError, match="holds no PostgreSQL"):
        binaries.locate()
