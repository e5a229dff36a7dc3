"""A stranger's call-centre export in a real Chromium: mapped, imported, mended, taken back."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.services import Service
from tests.test_browser import (
    ARTEFACTS,
    accessibility_problems,
    browser,
    log_in,
    overflow,
    page_of,
    service,
)

__all__ = ["browser", "service"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not os.environ.get("LMT_ALL_VIEWS"), reason="with the long tests"),
]

EXPORT = (
    "Nr;Klient;Tel. kom.;Poczta;Miejscowość;Model;Status rozmowy;Oddzwonić;Uwagi\r\n"
    '1;Zofia Brzoza;"512 777 888";zofia.brzoza@mail.example;Warszawa;Mira;Zainteresowany;;"Pyta;'
    ' o kolor"\r\n'
    "2;Iga Wilk;512 111 222;;Warszawa;Mira;oddzwonić;27-03-2026 15:30;\r\n"
    "3;Jan Bez Telefonu;;;Kraków;;Zainteresowany;;\r\n"
    "4;Ewa Cicha;512 111 333;;Warszawa;;nie odbiera;;\r\n"
    "5;Adam Nie;512 111 444;;Warszawa;;nie dzwonić;;\r\n"
)


def choose(page: Page, column: str, target: str) -> None:
    row = page.locator("#mapping-rows tr").filter(has=page.locator(f'[value="{column}"]'))
    row.locator("select[name=target]").select_option(target)


def bring(page: Page, path: Path) -> None:
    page.locator("[name=file]").set_input_files(path)
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator("#mapping-rows")).to_be_visible()


def start(page: Page) -> None:
    page.locator("main button[name=do][value=start]").click()
    expect(page.locator("#h-counts")).to_be_visible()


def counts(page: Page) -> list[int]:
    """What became of the rows, from the top; the last is how many were read."""
    cells = page.locator(".counts td.num").all_inner_texts()
    return [int(cell.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789"))) for cell in cells]


def wait_for(page: Page, chip: str) -> None:
    expect(page.locator(f"#h-state ~ .chip-{chip}")).to_be_visible(timeout=20_000)


# One view; the other where the long tests run.
VIEWS = [("en", 1440), ("ar", 390)] if os.environ.get("LMT_ALL_VIEWS") else [("ar", 390)]


@pytest.mark.parametrize(("language", "width"), VIEWS)
def test_a_strangers_export_is_imported_mended_and_taken_back(
    browser: Browser, service: Service, tmp_path: Path, language: str, width: int
) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    problems: list[str] = []
    page = page_of(browser, service, width=width, accept_downloads=True)

    def look(name: str) -> None:
        if wide := overflow(page):
            problems.append(f"{page.url} at {width}: {wide} px too wide")
        page.evaluate("() => scrollTo({top: 0, behavior: 'instant'})")
        problems.extend(accessibility_problems(page))
        page.screenshot(path=ARTEFACTS / f"import-{name}-{language}-{width}.png", full_page=True)

    log_in(page, "hana")
    page.goto(f"/hq/imports?lang={language}")
    look("none")
    page.goto("/hq/sources/new?kind=file")
    page.locator("[name=name]").fill("Spring calls")
    page.locator("[name=country]").select_option("PL")
    page.locator("[name=brand]").select_option(label="Aurel")
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(re.compile(r"/hq/sources/spring-calls$"))

    page.goto("/hq/imports/new?source=spring-calls")
    look("new")
    export = tmp_path / "eksport.csv"
    export.write_bytes(EXPORT.encode("cp1250"))
    bring(page, export)
    look("columns")
    for column, target in (
        ("Klient", "customer.full_name"),
        ("Tel. kom.", "customer.phone"),
        ("Poczta", "customer.email"),
        ("Miejscowość", "address.city"),
        ("Model", "request.model"),
        ("Status rozmowy", "call.disposition"),
        ("Oddzwonić", "call.back_at"),
        ("Uwagi", "request.comments"),
        ("Nr", "id"),
    ):
        choose(page, column, target)
    preview = page.locator("#preview")
    expect(preview).to_contain_text("+48512777888")
    expect(preview).to_contain_text("2026-03-27 15:30")
    page.wait_for_load_state("networkidle")
    page.locator("main button[name=do][value=check]").click()
    expect(page.locator("#failing")).to_contain_text("Jan Bez Telefonu")
    look("checked")
    start(page)
    wait_for(page, "won")
    assert counts(page) == [2, 0, 0, 1, 1, 1, 5]
    look("finished")

    with page.expect_download() as download:
        page.locator("main a[download]").click()
    failed = tmp_path / "failed.csv"
    download.value.save_as(failed)
    # In the file's own encoding, where the reasons can be written in that.
    text = failed.read_bytes().decode("cp1250" if language == "en" else "utf-8-sig")
    assert "Jan Bez Telefonu;;" in text
    failed.write_text(text.replace("Telefonu;;", "Telefonu;512 111 555;"), encoding="utf-8")
    page.goto("/hq/imports/new?source=spring-calls")
    bring(page, failed)
    start(page)
    wait_for(page, "won")
    assert counts(page) == [1, 0, 0, 0, 0, 0, 1]

    page.goto("/hq/imports")
    look("list")
    page.get_by_role("link", name="eksport.csv").click()
    page.locator("details > summary", has=page.locator("h2")).last.click()
    page.locator("form[action$='/undo'] button").click()
    wait_for(page, "done")
    expect(page.locator("main")).to_contain_text(re.compile("2|٢"))
    look("undone")
    page.context.close()
    assert not problems, "\n".join(problems)
