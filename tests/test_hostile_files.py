"""Hostile files at the real door: a sentence or a row's reason, flat memory, answers meanwhile."""

from __future__ import annotations

import csv
import http.client
import io
import re
import socket
import threading
import time
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import psutil
import pytest
from markupsafe import escape
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from lmt import embedded
from lmt.db import engine_for, sessions_for
from lmt.files.limits import WORKBOOK_MEMORY_BYTES
from lmt.models import ImportRow, ImportRun, Lead, Source, Upload
from lmt.scope import SYSTEM, act_as
from tests.conftest import Template
from tests.hostilefiles import (
    HEADER,
    LARGE_MB,
    MB,
    NAMES,
    PEOPLE,
    REFUSED,
    SCRIPT,
    broken_rows,
    formulas,
    macros,
    write_one_line,
    write_wide_rows,
)
from tests.services import Service, running
from tests.world import API_KEY, PASSWORD

MOST_MORE_MB = 64
WAIT_SECONDS = 120 + LARGE_MB
SOURCE = "hostile-files"
FORM = "application/x-www-form-urlencoded"


@dataclass
class House:
    """The running service, its database, and somebody at headquarters who is logged in."""

    service: Service
    engine: Engine
    hana: httpx.Client
    token: str
    bert: httpx.Client
    processes: list[psutil.Process]

    @contextmanager
    def session(self) -> Iterator[Session]:
        with act_as(sessions_for(self.engine)(), SYSTEM) as session:
            yield session

    def kept(self) -> dict[str, int]:
        with self.engine.connect() as connection:
            every = ("upload", "upload_part", "import_run", "import_row")
            counts = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in every)
            return dict(connection.execute(text(f"SELECT {counts}")).one()._mapping)

    def run(self, address: str) -> ImportRun:
        with self.session() as session:
            return session.get_one(ImportRun, uuid.UUID(urlsplit(address).path.split("/")[3]))

    def settled(self, address: str, *states: str) -> ImportRun:
        """The run, once it stands so."""
        until = time.monotonic() + WAIT_SECONDS
        while (run := self.run(address)).state not in states:
            assert time.monotonic() < until, run.state
            time.sleep(0.02)
        return run


@pytest.fixture(scope="module")
def house(
    server: embedded.EmbeddedServer, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    name = f"hostile_{uuid.uuid4().hex}"
    url = embedded.create_database(server, name, template=template.name)
    engine = engine_for(url)
    with act_as(sessions_for(engine)(), SYSTEM) as session:
        session.add(
            Source(
                code=SOURCE, kind="file", name="Stranger's calls", country="PL", language="pl",
                market_id=template.world.markets["PL"], tells_customer=False,
            )
        )  # fmt: skip
        session.commit()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LMT_MAX_IMPORT_BYTES", str(LARGE_MB * MB))
            with running(url, tmp_path_factory.mktemp("hostile") / "instance") as service:
                parent = psutil.Process(service.process.pid)
                with (
                    client(service, "hana@lmt.example") as hana,
                    client(service, "bert@lmt.example") as bert,
                ):
                    every = parent.children(recursive=True)
                    yield House(service, engine, hana, token(hana), bert, every)
    finally:
        engine.dispose()
        embedded.drop_database(server, name)


@contextmanager
def client(service: Service, email: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=WAIT_SECONDS, trust_env=False) as made:
        data = {"email": email, "password": PASSWORD, "csrf_token": token(made, "/login")}
        assert made.post("/login", data=data).status_code in {302, 303}
        yield made


def token(client: httpx.Client, path: str = "/hq/imports") -> str:
    page = client.get(path).text
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page)
    assert found, page
    return found[1]


def upload(house: House, content: bytes | Path, name: str = "leads.csv") -> httpx.Response:
    data = {"source": SOURCE, "csrf_token": house.token}
    with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as file:
        return house.hana.post("/hq/imports/new", data=data, files={"file": (name, file)})


def typed(page: str) -> dict[str, list[str]]:
    """The columns' form as the page would send it back."""
    form = page[page.index('id="columns-form"') :]
    data: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value:
            data.setdefault(name[1], []).append(value[1])
    for tag in re.findall(r"(?s)<select[^>]*name=\"target\".*?</select>", form):
        chosen = re.search(r'value="([^"]*)" selected', tag)
        data.setdefault("target", []).append(chosen[1] if chosen else "")
    return data


@dataclass
class Answers:
    """What others were answered while something else went on."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    longest_seconds: float = 0.0


@contextmanager
def others(service: Service) -> Iterator[Answers]:
    """Somebody asks for health and sends leads all the while; at least once."""
    answers, over = Answers(), threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=service.url, timeout=30, trust_env=False) as asking:
            while not answers.statuses or not over.is_set():
                for path in ("/healthz", "/api/v1/leads"):
                    began = time.monotonic()
                    answers.statuses[path, one_more(asking, path)] += 1
                    spent = time.monotonic() - began
                    answers.longest_seconds = max(answers.longest_seconds, spent)
                over.wait(0.2)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield answers
    finally:
        over.set()
        asking.join()


def one_more(asking: httpx.Client, path: str) -> int:
    if path == "/healthz":
        return asking.get(path).status_code
    customer = {"last_name": "Other", "email": f"{uuid.uuid4().hex}@mail.example"}
    headers = {"Authorization": f"Bearer {API_KEY}"}
    return asking.post(path, json={"customer": customer}, headers=headers).status_code


def expect_answers(answers: Answers) -> None:
    assert set(answers.statuses) == {("/healthz", 200), ("/api/v1/leads", 202)}


class Memory:
    """The resident memory of the web and the worker together, and of what they start beside."""

    def __init__(self, house: House) -> None:
        self._processes = house.processes
        for process in self._processes:
            # From now on its high-water mark is what it has now.
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")
        self.idle_mb = self._sum("VmRSS")
        self.beside_mb = 0.0

    def more_mb(self) -> float:
        """How much more the processes that stay had at most, each counted at its own worst."""
        return self._sum("VmHWM") - self.idle_mb

    def _sum(self, line: str) -> float:
        every = (Path(f"/proc/{each.pid}/status").read_text() for each in self._processes)
        return sum(int(status.split(f"{line}:")[1].split()[0]) for status in every) / 1024

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at what is started beside while this lasts."""
        over = threading.Event()

        def look() -> None:
            while not over.wait(0.02):
                own = {each.pid for each in self._processes}
                now = 0
                for process in self._processes:
                    for child in _children(process):
                        now += 0 if child.pid in own else _resident(child)
                self.beside_mb = max(self.beside_mb, now / 1024**2)

        watching = threading.Thread(target=look)
        watching.start()
        try:
            yield
        finally:
            over.set()
            watching.join()


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.NoSuchProcess:
        return []


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def test_what_is_no_table_is_refused_in_words_and_nothing_of_it_is_kept(house: House) -> None:
    upload(house, HEADER + PEOPLE)
    kept, memory = house.kept(), Memory(house)
    with others(house.service) as answers, memory.watching():
        for file in REFUSED:
            answer = upload(house, file.make(), file.name)
            assert answer.status_code == 422, (file.what, answer.text)
            assert file.words in answer.text, (file.what, answer.text)
    print(
        f"refused {len(REFUSED)}: {memory.more_mb():.0f} MB more than {memory.idle_mb:.0f} at idle,"
        f" {memory.beside_mb:.0f} MB beside; {answers}"
    )
    expect_answers(answers)
    assert house.kept() == kept
    assert memory.more_mb() < MOST_MORE_MB
    assert memory.beside_mb * 1024**2 < WORKBOOK_MEMORY_BYTES


def test_rows_that_are_broken_have_their_reasons_and_nothing_of_them_runs(house: House) -> None:
    page, address = brought(house, broken_rows())
    assert "Never read, as they hold secrets" in page
    given = typed(page)
    house.hana.post(f"{address}/columns", data={**given, "do": "check"})
    run = house.settled(address, "checked")
    checked = house.hana.get(address).text
    house.hana.post(f"{address}/columns", data={**typed(checked), "do": "start"})
    run = house.settled(address, "finished")
    assert (run.position, run.accepted, run.failed) == (14, 6, 8)
    with house.session() as session:
        rows = session.scalars(select(ImportRow).where(ImportRow.import_id == run.id))
        causes = [(row.number, row.errors[0]["code"]) for row in rows]
        people = session.execute(
            select(Lead.id, Lead.customer_id).where(Lead.import_id == run.id)
        ).all()
    assert sorted(causes) == [
        (3, "encoding"), (4, "nul"), (6, "too_many_cells"), (7, "line_too_long"),
        (8, "cell_too_long"), (9, "no_contact"), (11, "no_contact"), (13, "line_too_long"),
    ]  # fmt: skip
    report = house.hana.get(address).text
    assert report.count("Some characters are in another encoding") == 1
    pages = [page, checked, report, house.hana.get("/hq/imports").text]
    for lead, customer in people:
        pages.append(house.hana.get(f"/hq/leads/{lead}").text)
        pages.append(house.hana.get(f"/hq/customers/{customer}").text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in report
    for each in pages:
        assert "Traceback" not in each
        assert "<script>alert" not in each
        assert "<b onclick" not in each
        assert "hunter2" not in each
    failed = house.hana.get(f"{address}/failed").content.decode("utf-8-sig")
    back = list(csv.reader(io.StringIO(failed, newline="")))
    assert back[0] == ["lmt_row", "lmt_reasons", "Name", "Phone", "Email", "City", "Remarks"]
    assert len(back) == 9
    formula = next(row for row in back if row[0] == "11")
    assert formula[2:] == ["'=HYPERLINK(\"http://evil.example\")", "", "'@SUM(1)", "'+1+1|cmd",
                           "'-2+3"]  # fmt: skip


def brought(house: House, content: bytes | Path, name: str = "leads.csv") -> tuple[str, str]:
    """A file is uploaded: the page of its import and the address of that."""
    answer = upload(house, content, name)
    assert answer.status_code == 302, answer.text
    address = answer.headers["Location"]
    page = house.hana.get(address)
    assert page.status_code == 200
    return page.text, address


def test_a_workbook_gives_values_alone_and_gets_no_formula_back(house: House) -> None:
    page, address = brought(house, formulas(), "leads.xlsx")
    assert "Ewa Computed" in page
    assert "+48512300101" in page
    house.hana.post(f"{address}/columns", data={**typed(page), "do": "start"})
    run = house.settled(address, "finished")
    assert (run.accepted, run.failed) == (1, 2)
    failed = house.hana.get(f"{address}/failed").content
    with zipfile.ZipFile(io.BytesIO(failed)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "=1+1" in sheet
    assert "=cmd|" in sheet
    page, _address = brought(house, macros(), "leads.xlsm")
    assert "Ewa Lis" in page
    assert "evil.example" not in page


def test_a_files_name_is_shown_and_never_believed(house: House) -> None:
    for name, shown in NAMES:
        answer = post_raw(house, name)
        assert answer.status_code == 302, (name, answer.text)
        address = answer.headers["Location"]
        run = house.run(address)
        with house.session() as session:
            kept = session.get_one(Upload, run.upload_id).name
        assert kept == shown, name
        page = house.hana.get(address).text
        assert str(escape(shown)) in page, name
        assert SCRIPT not in page
        failed = house.hana.get(f"{address}/failed")
        assert "X-Evil" not in failed.headers
        told = failed.headers["Content-Disposition"]
        assert told.startswith("attachment; filename"), name
        assert "/" not in told.replace("%2F", "/"), name


def post_raw(house: House, name: str, body: bytes = HEADER + PEOPLE) -> httpx.Response:
    """As a client that minds no rules writes a form."""
    fields = {"csrf_token": house.token, "source": SOURCE}
    form = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields.items()
    )
    form += (
        '--b\r\nContent-Disposition: form-data; name="file"; '
        f"filename*=UTF-8''{quote(name, safe='')}\r\n\r\n"
    )
    return house.hana.post(
        "/hq/imports/new",
        content=form.encode() + body + b"\r\n--b--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )


@pytest.mark.parametrize("write", [write_one_line, write_wide_rows])
def test_a_large_file_is_read_and_taken_in_while_others_are_answered(
    house: House, tmp_path: Path, write: Callable[[Path, int], None]
) -> None:
    path = tmp_path / "large.csv"
    write(path, LARGE_MB * MB)
    brought(house, HEADER + PEOPLE)
    memory = Memory(house)
    with others(house.service) as answers:
        page, address = brought(house, path)
        house.hana.post(f"{address}/columns", data={**typed(page), "do": "check"})
        checked = house.settled(address, "checked", "draft")
        house.hana.post(f"{address}/columns", data={**typed(page), "do": "start"})
        run = house.settled(address, "finished", "failed")
        assert house.hana.get(address).status_code == 200
        with house.hana.stream("GET", f"{address}/failed") as failed:
            size = sum(map(len, failed.iter_bytes()))
    print(
        f"{write.__name__} of {LARGE_MB} MB: {memory.more_mb():.0f} MB more than"
        f" {memory.idle_mb:.0f} at idle; {answers}"
    )
    expect_answers(answers)
    assert (checked.state, run.state) == ("checked", "finished")
    assert run.failed == run.position - run.accepted - run.repeated - run.asked_again > 0
    assert size > 1_000
    assert memory.more_mb() < MOST_MORE_MB


def test_a_file_over_the_limit_is_refused(house: House, tmp_path: Path) -> None:
    kept, memory, path = house.kept(), Memory(house), tmp_path / "large.csv"
    for over, status, words in (
        (10, 422, "The file is too large."),
        (MB, 413, "This is too big"),
    ):
        write_one_line(path, LARGE_MB * MB)
        with path.open("ab") as file:
            file.write(b"\n" * (over + LARGE_MB * MB - path.stat().st_size))
        with others(house.service) as answers:
            answer = upload(house, path)
        expect_answers(answers)
        assert answer.status_code == status, answer.text
        assert words in answer.text
    assert house.kept() == kept
    assert memory.more_mb() < MOST_MORE_MB


def test_two_bring_files_at_once(house: House, tmp_path: Path) -> None:
    paths = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for path in paths:
        write_wide_rows(path, LARGE_MB * MB // 2)
    memory = Memory(house)
    with others(house.service) as answers, ThreadPoolExecutor() as people:
        answered = list(people.map(lambda path: upload(house, path, path.name), paths))
    assert [answer.status_code for answer in answered] == [302, 302]
    first, second = (house.run(answer.headers["Location"]) for answer in answered)
    assert first.upload_id != second.upload_id
    expect_answers(answers)
    assert memory.more_mb() < MOST_MORE_MB


def test_who_breaks_off_in_the_middle_leaves_nothing(house: House) -> None:
    kept = house.kept()
    form = (
        f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{house.token}\r\n'
        f'--b\r\nContent-Disposition: form-data; name="source"\r\n\r\n{SOURCE}\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename="leads.csv"\r\n\r\n'
    )
    body = form.encode() + HEADER + PEOPLE * 50_000
    for length in (f"Content-Length: {len(body) + MB}\r\n", "Transfer-Encoding: chunked\r\n"):
        head = (
            "POST /hq/imports/new HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n"
            f"Cookie: {cookies(house.hana)}\r\n"
        )
        where = urlsplit(house.service.url)
        with socket.create_connection((where.hostname, where.port), timeout=30) as sender:
            sender.sendall(head.encode() + length.encode() + b"\r\n")
            if "chunked" in length:
                sender.sendall(b"%x\r\n" % (len(body) + MB))
            sender.sendall(body)
            sender.shutdown(socket.SHUT_WR)
            with suppress(ConnectionError):
                answer = sender.recv(4_096)
                assert not answer or b" 4" in answer.split(b"\r\n")[0], answer
    assert house.kept() == kept


def test_who_may_not_is_told_before_the_file_comes(house: House) -> None:
    kept = house.kept()
    with httpx.Client() as stranger:
        for person, statuses in ((house.bert, {403}), (stranger, {302, 413})):
            assert announced(house.service, person, LARGE_MB * MB // 2) in statuses
    with io.BytesIO(HEADER + PEOPLE * 20_000) as file:
        forged = house.hana.post("/hq/imports/new", data={"source": SOURCE}, files={"file": file})
    assert forged.status_code == 400
    assert "This form is too old" in forged.text
    address, typed_in = "/hq/imports/new", b"source=a&" * MB
    answer = house.hana.post(address, content=typed_in, headers={"Content-Type": FORM})
    assert answer.status_code == 413
    assert house.kept() == kept


def announced(service: Service, person: httpx.Client, size: int) -> int:
    """The status of the answer to a file that is announced and never sent."""
    where = urlsplit(service.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    try:
        connection.putrequest("POST", "/hq/imports/new")
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        connection.putheader("Content-Length", str(size))
        connection.putheader("Cookie", cookies(person))
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def cookies(person: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in person.cookies.items())
