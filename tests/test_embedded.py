"""Leads survive whatever happens to the processes around the embedded database."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest
from structlog.testing import capture_logs

from lmt import embedded
from lmt.embedded.access import as_superuser

FAST = {"fsync": "off", "shared_buffers": "16MB"}
ROOT = Path(__file__).parent.parent
SCRIPT = """
import os, signal, sys, time
from pathlib import Path
from lmt import embedded
# A shell that runs jobs in the background starts them with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
instance, fast = Path(sys.argv[1]), {"fsync": "off", "shared_buffers": "16MB"}
def say(*words):
    print("SAID", *words, flush=True)
"""


def rows(server: embedded.EmbeddedServer, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def postmaster(instance: Path) -> psutil.Process:
    """The server's process, by the number it writes itself."""
    pid_file = instance / "postgres" / "data" / "postmaster.pid"
    return psutil.Process(int(pid_file.read_text().splitlines()[0]))


def is_up(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until(is_true: Callable[[], bool], what: str, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def run(instance: Path, code: str, **environment: str) -> subprocess.Popen[str]:
    """Another process with `code` in it, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT + code, str(instance)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    """The next line that the other process says (its log goes to the same stream)."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("SAID"):
            return line.removeprefix("SAID").strip()
    assert process.stderr is not None
    raise AssertionError(process.stderr.read())


def ended(process: subprocess.Popen[str]) -> int:
    process.communicate(timeout=20)
    return process.returncode


@pytest.fixture
def instance() -> Iterator[Path]:
    """A fresh private folder, short enough for a socket; its server is stopped afterwards."""
    parent = Path(tempfile.mkdtemp(prefix="lmt-test-"))
    yield parent / "instance"
    embedded.stop(parent / "instance")
    shutil.rmtree(parent)


@pytest.fixture(scope="module")
def shared() -> Iterator[embedded.EmbeddedServer]:
    """One server for the tests that leave it running."""
    parent = Path(tempfile.mkdtemp(prefix="lmt-test-"))
    instance = parent / "instance"
    with pytest.MonkeyPatch.context() as patch:
        # What a bare server has: no locale, no runtime folder, another cluster's settings.
        patch.setenv("LC_ALL", "C")
        patch.setenv("PGPORT", "6543")
        patch.delenv("XDG_RUNTIME_DIR", raising=False)
        server = embedded.start(instance, settings=FAST)
    yield server
    server.stop()
    shutil.rmtree(parent)


def test_text_is_folded_in_every_script_under_the_c_locale(
    shared: embedded.EmbeddedServer,
) -> None:
    assert rows(shared, "SELECT lower('ŁÓDŹ'), upper('é λ')") == [("łódź", "É Λ")]
    assert rows(
        shared,
        "SELECT datlocprovider::text, datlocale, pg_encoding_to_char(encoding),"
        " pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = 'lmt'",
    ) == [("b", "C.UTF-8", "UTF8", "lmt")]


def test_the_application_is_no_superuser_and_needs_its_password(
    shared: embedded.EmbeddedServer,
) -> None:
    assert rows(
        shared,
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
        " FROM pg_roles WHERE rolname = current_user AND rolname = 'lmt'",
    ) == [(False,) * 5]
    for password in ("", "wrong"):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(
                host=str(shared.socket_folder),
                port=5432,
                user="lmt",
                dbname="lmt",
                password=password,
            )
    with as_superuser(shared.socket_folder) as connection:
        stored = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'lmt'")
        assert str(stored.fetchall()[0][0]).startswith("SCRAM-SHA-256$")


def test_only_its_owner_reaches_the_socket_and_the_password(
    shared: embedded.EmbeddedServer,
) -> None:
    folder = shared.socket_folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.stat().st_uid == postmaster(shared.instance).uids().real
    password = shared.instance / "postgres.password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert password.stat().st_uid == os.geteuid()
    assert password.read_text().strip() in shared.url
    assert password.read_text().strip() not in repr(shared)


def test_nothing_listens_on_the_network(shared: embedded.EmbeddedServer) -> None:
    assert rows(shared, "SHOW listen_addresses") == [("",)]
    pid_file = shared.instance / "postgres" / "data" / "postmaster.pid"
    assert pid_file.read_text().splitlines()[5].strip() == ""


def test_a_second_start_attaches(shared: embedded.EmbeddedServer) -> None:
    again = embedded.start(shared.instance)
    assert (again.started_here, again.url) == (False, shared.url)


def test_a_lone_command_leaves_a_server_that_others_use(shared: embedded.EmbeddedServer) -> None:
    with embedded.attached(shared.instance) as server:
        assert not server.started_here
    assert rows(shared, "SELECT 1") == [(1,)]


def test_databases_are_made_copied_and_dropped(shared: embedded.EmbeddedServer) -> None:
    url = embedded.create_database(shared, "made first")
    assert embedded.create_database(shared, "made first") == url
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE lead AS SELECT 7 AS number")
    copy = embedded.create_database(shared, "copied", template="made first")
    with psycopg.connect(copy.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT number, lower('Ł') FROM lead").fetchall() == [(7, "ł")]
    embedded.drop_database(shared, "copied")
    embedded.drop_database(shared, "copied")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(copy.replace("+psycopg", ""))


def test_ctrl_c_in_the_terminal_ends_the_command_and_not_the_server(
    shared: embedded.EmbeddedServer,
) -> None:
    command = run(
        shared.instance, "s = embedded.start(instance); say('up')\nwhile True: time.sleep(9)\n"
    )
    assert said(command) == "up"
    before = postmaster(shared.instance)
    os.killpg(command.pid, signal.SIGINT)
    assert ended(command) != 0
    assert rows(shared, "SELECT 1") == [(1,)]
    assert before == postmaster(shared.instance)
    assert os.getsid(before.pid) not in (os.getsid(0), command.pid)


def test_three_processes_start_at_once_on_a_fresh_folder(instance: Path) -> None:
    code = """
s = embedded.start(instance, settings=fast)
import psycopg
with psycopg.connect(s.url.replace("+psycopg", "")) as c: c.execute("SELECT 1")
say(s.started_here, s.url)
"""
    processes = [run(instance, code) for _ in range(3)]
    answers = [said(process) for process in processes]
    for process in processes:
        ended(process)
    assert sorted(answer.split()[0] for answer in answers) == ["False", "False", "True"]
    assert len({answer.split()[1] for answer in answers}) == 1


def test_a_killed_holder_leaves_a_server_to_attach_to_or_to_make(instance: Path) -> None:
    mid_way = run(instance, "say('go')\nembedded.start(instance, settings=fast)\n")
    assert said(mid_way) == "go"
    wait_until(lambda: any(instance.glob("postgres/data.new-*")), "the folder is being made")
    mid_way.kill()
    ended(mid_way)
    holder = run(
        instance,
        "s = embedded.start(instance, settings=fast); say(s.started_here)\ntime.sleep(99)\n",
    )
    assert said(holder) == "True"
    assert not list(instance.glob("postgres/data.new-*"))
    holder.kill()
    ended(holder)
    leaked = postmaster(instance)
    assert is_up(leaked)
    with embedded.attached(instance, settings=FAST) as server:
        assert not server.started_here
        assert rows(server, "SELECT 1") == [(1,)]
    assert not is_up(leaked)


def test_a_lone_command_starts_and_stops_its_own(instance: Path) -> None:
    with embedded.attached(instance, settings=FAST) as server:
        assert server.started_here
        process = postmaster(instance)
        with embedded.attached(instance) as other:
            assert not other.started_here
        assert is_up(process)
    assert not is_up(process)
    embedded.stop(instance)
    assert not (instance / "postgres" / "data" / "postmaster.pid").exists()


@pytest.mark.parametrize("lines", [8, 1], ids=["whole file", "cut after the number"])
def test_a_stale_number_reused_by_an_innocent_process(instance: Path, lines: int) -> None:
    with embedded.attached(instance, settings=FAST) as server:
        rows(server, "CREATE TABLE lead AS SELECT 7 AS number")
        pid_file = instance / "postgres" / "data" / "postmaster.pid"
        folder = server.socket_folder
        text = pid_file.read_text().splitlines()
        # PostgreSQL itself is fooled only by a process that it may signal.
        uid = postmaster(instance).uids().real
    innocent = subprocess.Popen(["sleep", "99"], user=uid)
    try:
        pid_file.write_text("\n".join([str(innocent.pid), *text[1:]][:lines]) + "\n")
        (folder / ".s.PGSQL.5432.lock").write_text(f"{innocent.pid}\n")
        with embedded.attached(instance, settings=FAST) as server:
            assert server.started_here
            assert rows(server, "SELECT number FROM lead") == [(7,)]
        pid_file.write_text("\n".join([str(innocent.pid), *text[1:]][:lines]) + "\n")
        embedded.stop(instance)
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


@pytest.mark.parametrize("remains", ["", "garb\0age\n-5\n"])
def test_a_truncated_pid_file(instance: Path, remains: str) -> None:
    server = embedded.start(instance, settings=FAST)
    rows(server, "CREATE TABLE lead AS SELECT 7 AS number")
    pid_file = instance / "postgres" / "data" / "postmaster.pid"
    living = postmaster(instance)
    pid_file.write_text(remains)
    again = embedded.start(instance, settings=FAST)
    assert again.started_here
    assert not is_up(living)
    again.stop()
    pid_file.write_text(remains)
    with embedded.attached(instance, settings=FAST) as server:
        assert rows(server, "SELECT number FROM lead") == [(7,)]


def test_a_killed_server_recovers_what_was_committed(instance: Path) -> None:
    server = embedded.start(instance, settings={**FAST, "fsync": "on"})
    rows(server, "CREATE TABLE lead AS SELECT n FROM generate_series(1, 1000) n")
    busy = psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True)
    killed = postmaster(instance)
    # Stopped children cannot notice that their parent died: a start must end them first.
    orphans = killed.children()
    for orphan in orphans[:2]:
        orphan.suspend()
    killed.kill()
    wait_until(lambda: not is_up(killed), "the server is dead")
    again = embedded.start(instance, settings=FAST)
    assert again.started_here
    assert again.url == server.url
    assert rows(again, "SELECT count(*) FROM lead") == [(1000,)]
    assert not any(is_up(orphan) for orphan in orphans)
    busy.close()


def test_a_forked_child_keeps_the_server_when_its_parent_ends(instance: Path) -> None:
    code = """
with embedded.attached(instance, settings=fast) as server:
    say(server.url)
    if os.fork() == 0:
        os.setsid()
        gate = instance / "gate"
        deadline = time.monotonic() + 30
        while not gate.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        import psycopg
        with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
            (instance / "answer").write_text(str(connection.execute("SELECT 7").fetchone()[0]))
        os._exit(0)
say("parent left")
"""
    parent = run(instance, code)
    said(parent)
    assert said(parent) == "parent left"
    parent.wait(timeout=20)
    (instance / "gate").touch()
    wait_until(lambda: (instance / "answer").exists(), "the child has asked the database")
    wait_until(lambda: (instance / "answer").read_text() == "7", "the answer")
    parent.communicate(timeout=20)


def test_a_long_path_with_odd_characters(instance: Path) -> None:
    deep = instance / "a folder, of $HOME & 'łódź'" / ("long" * 30) / "instance"
    try:
        server = embedded.start(deep, settings=FAST)
        assert rows(server, "SELECT 1") == [(1,)]
        assert len(os.fsencode(server.socket_folder / ".s.PGSQL.5432")) <= 100
        assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700
        assert server.socket_folder.stat().st_uid == postmaster(deep).uids().real
        assert embedded.start(deep).url == server.url
    finally:
        embedded.stop(deep)
    assert not server.socket_folder.exists()


def test_what_an_interrupted_start_left_undone_is_done_by_the_next(instance: Path) -> None:
    server = embedded.start(instance, settings=FAST)
    (instance / "postgres.password").unlink()
    with as_superuser(server.socket_folder) as connection:
        connection.execute("DROP DATABASE lmt")
    again = embedded.start(instance)
    assert not again.started_here
    assert again.url != server.url
    assert rows(again, "SELECT current_user::text") == [("lmt",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts and folders")
def test_root_runs_it_as_another_account_and_says_what_it_opens(instance: Path) -> None:
    instance.mkdir(parents=True, mode=0o700)
    instance.parent.chmod(0o700)
    with capture_logs() as logs:
        embedded.start(instance, settings=FAST)
    opened = {entry["path"] for entry in logs if entry["event"] == "embedded_folder_opened"}
    assert opened == {str(instance.parent), str(instance)}
    for path in opened:
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o701
    assert postmaster(instance).uids().real != 0
    embedded.stop(instance)
    with capture_logs() as logs:
        embedded.start(instance, settings=FAST)
    assert "embedded_folder_opened" not in {entry["event"] for entry in logs}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be followed by somebody else")
def test_root_leaves_the_files_of_another_user_to_that_user(instance: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    instance.mkdir(parents=True, mode=0o700)
    os.chown(instance, nobody.pw_uid, nobody.pw_gid)
    embedded.start(instance, settings=FAST)
    assert postmaster(instance).uids().real == nobody.pw_uid
    assert {path.stat().st_uid for path in instance.rglob("*")} == {nobody.pw_uid}
