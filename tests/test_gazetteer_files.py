"""The gazetteer's files: told apart by their content, replaced by country, refused by the line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lmt.cli import main
from lmt.models import Place, PlaceName, Postcode
from lmt.routing.gazetteer_load import BadGazetteer, LoadedFile, load_file
from lmt.routing.locate import Located, locate

POSTAL = """\
NL\t1011\tAmsterdam\tNoord-Holland\t07\tAmsterdam\t0363\t\t\t52.370\t4.900\t
NL\t1012\tAmsterdam\tNoord-Holland\t07\tAmsterdam\t0363\t\t\t52.373\t4.893\t6
NL\t9999\tStedum\tGroningen\t04\t\t\t\t\t53.320\t6.690\t4
NL\t1011\tAmsterdam Oost\tNoord-Holland\t07\tAmsterdam\t0363\t\t\t52.366\t4.910\t
"""


def place(id: int, name: str, others: str = "", code: str = "PPL", **more: str) -> str:
    """A line of a GeoNames place file."""
    cells = {
        "lat": "52.37", "lon": "4.89", "class": "P", "country": "NL", "population": "12345",
        "zone": "Europe/Amsterdam", **more,
    }  # fmt: skip
    return "\t".join(
        [str(id), name, name, others, cells["lat"], cells["lon"], cells["class"], code,
         cells["country"], "", "07", "", "", "", cells["population"], "", "3", cells["zone"],
         "2026-01-01"]
    )  # fmt: skip


def file(folder: Path, text: str) -> Path:
    path = folder / "given.txt"
    path.write_text(text, encoding="utf-8")
    return path


def codes(session: Session) -> list[str]:
    return list(session.scalars(select(Postcode.code).order_by(Postcode.code)))


def test_a_postal_file_replaces_its_country_and_no_other(session: Session, tmp_path: Path) -> None:
    session.add(Postcode(country="NL", code="0000", place="x", lat=52, lon=5, radius_km=3))
    session.add(Postcode(country="BE", code="1000", place="x", lat=50, lon=4, radius_km=3))
    session.flush()
    loaded = load_file(session, file(tmp_path, POSTAL))
    assert loaded == LoadedFile("postcodes", 3)
    assert codes(session) == ["1000", "1011", "1012", "9999"]
    middle = session.get_one(Postcode, ("NL", "1011"))
    assert (middle.place, middle.lat, middle.lon) == ("Amsterdam", 52.368, 4.905)
    assert 3.0 < middle.radius_km < 4.0
    assert session.get_one(Postcode, ("NL", "1012")).radius_km == 2.0
    # Again, shorter: what the file no longer has is gone.
    assert load_file(session, file(tmp_path, POSTAL.split("\n", 1)[0])).rows == 1
    assert codes(session) == ["1000", "1011"]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_table_of_postcodes_is_read_by_its_heading(
    session: Session, tmp_path: Path, sign: str
) -> None:
    rows = [
        ["country_code", "zipcode", "place", "state", "community_code", "latitude", "longitude"],
        ["MA", "32000", f'"Hoceima{sign} Al"', "Tanger", "", "35.2516", "-3.9372"],
        ["MA", "32003", "Ait Youssef", "Tanger", "", "35.1065", "-3.9685"],
    ]
    path = file(tmp_path, "\ufeff" + "\r\n".join(sign.join(row) for row in rows))
    assert load_file(session, path) == LoadedFile("postcodes", 2)
    found = locate(session, postcode="32000", country="MA")
    assert isinstance(found, Located)
    assert (found.lat, found.lon, found.place) == (35.2516, -3.9372, f"Hoceima{sign} Al")


def test_a_place_file_is_found_by_every_name(session: Session, tmp_path: Path) -> None:
    path = file(
        tmp_path,
        "\n".join(
            [
                place(2759794, "Amsterdam", "Amsterdão,أمستردام,Мокум", population="741636"),
                place(1, "Oud Zuilen", code="PPLX"),
                place(2, "Verdwenen Dorp", code="PPLQ"),
                place(3, "Provincie Utrecht", code="ADM1", **{"class": "A"}),
                place(4, "Stedum", lat="53.32", lon="6.69", population=""),
            ]
        ),
    )
    loaded = load_file(session, path)
    assert (loaded.kind, loaded.rows) == ("places", 2)
    for name in ("amsterdam", "أمستردام", "Мокум"):
        found = locate(session, city=name, country="NL")
        assert isinstance(found, Located), name
        assert (found.place, found.timezone) == ("Amsterdam", "Europe/Amsterdam")
    # The countries that the file doesn't speak of stay, a place that moved does not stand twice.
    assert session.scalar(select(func.count()).where(Place.country == "PL")) == 3
    load_file(session, file(tmp_path, place(4, "Stedum", country="DE")))
    assert session.scalars(select(Place.country).where(Place.id == 4)).all() == ["DE"]
    names = select(PlaceName.country).where(PlaceName.place_id == 4).distinct()
    assert session.scalars(names).all() == ["DE"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (POSTAL + "NL\t1013\tAmsterdam", "line 5"),
        (POSTAL + "\nNL\t1013\tX\t\t\t\t\t\t\tnorth\t4.9\t", "line 6"),
        ("iso,zip,place,lat,lon\nNL,1011,A,52,4\n\nNL,1012,B,91,4", "line 4"),
        (place(1, "A") + "\n" + place(2, "B", zone="Europe/Nowhere"), "line 2"),
        (place(1, "A") + "\n" + place(2, "B", lat=""), "line 2"),
        (place(1, "A") + "\nshort\tline", "line 2"),
        ("a\tb\tc\n", "line 1"),
        ("", "line 1"),
        ("PK\x03\x04\0\0", "line 1"),
        (POSTAL + "NL" + "\t1" * 60_000, "line 5"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_by_its_line_and_changes_nothing(
    session: Session, tmp_path: Path, text: str, told: str
) -> None:
    session.add(Postcode(country="NL", code="0000", place="x", lat=52, lon=5, radius_km=3))
    session.flush()
    before = session.scalar(select(func.count()).select_from(Place))
    with pytest.raises(BadGazetteer, match=f"^{told}:"):
        load_file(session, file(tmp_path, text))
    assert codes(session) == ["0000"]
    assert session.scalar(select(func.count()).select_from(Place)) == before


def test_text_of_another_encoding_is_refused(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("NL\t9999\tCôte\t\t\t\t\t\t\t53.32\t6.69\t4\n".encode("latin-1"))
    with pytest.raises(BadGazetteer, match="UTF-8"):
        load_file(session, path)


def test_the_command_loads_several_files_or_none(
    database_url: str, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("LMT_INSTANCE", str(tmp_path / "instance"))
    postal, cities = tmp_path / "NL.txt", tmp_path / "cities500.txt"
    postal.write_text(POSTAL, encoding="utf-8")
    cities.write_text(place(2759794, "Amsterdam"), encoding="utf-8")
    run = CliRunner().invoke(main, ["import", "gazetteer", str(postal), str(cities)])
    assert run.exit_code == 0, run.output
    assert "NL.txt: 3 postcodes" in run.output
    assert "cities500.txt: 1 places" in run.output
    assert codes(session) == ["1011", "1012", "9999"]
    session.rollback()
    cities.write_text("nothing of the kind", encoding="utf-8")
    postal.write_text(POSTAL.split("\n", 1)[0], encoding="utf-8")
    run = CliRunner().invoke(main, ["import", "gazetteer", str(postal), str(cities)])
    assert run.exit_code == 1
    assert "cities500.txt: line 1" in run.output
    assert len(codes(session)) == 3
