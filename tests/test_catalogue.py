"""Which vehicle a lead means, however people write it; never another one that exists."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmt.ingest.catalogue import BrandRow, Catalogue, ModelRow, Wanted

ASTRA, BOREA, FIVE = 1, 2, 3
BRANDS = [
    BrandRow(ASTRA, "astra", "Astra Nova", ("أسترا نوفا", "AN")),
    BrandRow(BOREA, "borea", "Borea", ("بوريا", "Boréa Automobiles")),
    BrandRow(FIVE, "quint", "Quint"),
]
MODELS = [
    ModelRow(10, ASTRA, "LUMO", "Lumo", ("لومو",), {"GULF": ["سيرا", "Sierra"], "PL": ["Blask"]}),
    ModelRow(11, ASTRA, "LUMO-C", "Lumo Cross", ("Lumo X",)),
    ModelRow(12, ASTRA, "MR3", "Mira 3"),
    ModelRow(13, ASTRA, "MR4", "Mira 4"),
    ModelRow(14, ASTRA, "MRA", "Mira"),
    ModelRow(15, ASTRA, "CHR", "C-HR+"),
    ModelRow(20, BOREA, "VEL", "Vélo Grand", ("Velogrand",), {}, ("PL",)),
    ModelRow(21, BOREA, "TIDE", "Tide", (), {"PL": ["Sierra"]}),
    ModelRow(22, BOREA, "TILE", "Tile"),
    ModelRow(23, BOREA, "LUM", "Luma"),
    ModelRow(24, BOREA, "DUNE", "Dune", (), {}, ("GULF",)),
    ModelRow(30, FIVE, "5", "5"),
    ModelRow(31, FIVE, "DUNE", "Dune", (), {}, ("PL",)),
]
CATALOGUE = Catalogue(BRANDS, MODELS)


@pytest.mark.parametrize(
    ("text", "brand"),
    [
        ("Astra Nova", ASTRA), ("ASTRA", ASTRA), ("astranova", ASTRA), ("Astra-Nova", ASTRA),
        ("أسترا نوفا", ASTRA), ("استرا نوفا", ASTRA), ("Astra Nva", ASTRA), ("an", ASTRA),
        ("Borea", BOREA), ("boréa", BOREA), ("Boera", BOREA), ("بوريا", BOREA), ("Bore", BOREA),
        ("Borea Tide", BOREA), ("My Borea", BOREA), ("Toyota", None), ("", None), ("???", None),
    ],
)  # fmt: skip
def test_brands(text: str, brand: int | None) -> None:
    assert CATALOGUE.brand_of(text) == brand


@pytest.mark.parametrize(
    ("text", "brand", "market", "model"),
    [
        # Names, codes, aliases, in any case, script or spacing.
        ("Lumo", ASTRA, "PL", 10), ("LUMO", None, "PL", 10), ("lumo", None, "", 10),
        ("lumo-c", ASTRA, "PL", 11), ("MR3", ASTRA, "PL", 12), ("لومو", None, "GULF", 10),
        ("Velo Grand", BOREA, "PL", 20), ("VÉLO-GRAND", BOREA, "PL", 20),
        ("C-HR+", ASTRA, "PL", 15), ("CHR plus", ASTRA, "PL", 15), ("chr", ASTRA, "PL", 15),
        # With brand, trim, engine and year around the name.
        ("Astra Nova Lumo V dCi 90", None, "PL", 10), ("2026 Borea Tide GT", None, "PL", 21),
        ("AN Lumo 1.6 Turbo", None, "PL", 10), ("Lumo 2024", ASTRA, "PL", 10),
        ("Lumo, the red one", ASTRA, "PL", 10), ("سيارة لومو", ASTRA, "GULF", 10),
        ("أسترا نوفا لومو 2026", None, "GULF", 10), ("Astra Lumo", None, "PL", 10),
        ("Lumo oder Tide", None, "PL", 10),
        # A brand in the text counts more than the one given.
        ("Borea Tide", ASTRA, "PL", 21), ("Tide", ASTRA, "PL", None),
        # The longest name wins.
        ("Lumo Cross", ASTRA, "PL", 11), ("Lumo Cross GT", ASTRA, "PL", 11),
        ("Lumo X", ASTRA, "PL", 11), ("Lumo GT", ASTRA, "PL", 10), ("LumoCross", None, "PL", 11),
        # Digits are never a typo.
        ("Mira 3", ASTRA, "PL", 12), ("Mira3", ASTRA, "PL", 12), ("MIRA ٣", ASTRA, "PL", 12),
        (" Mira 3 ", None, "PL", 12), ("Mira 4", ASTRA, "PL", 13), ("Mira 5", ASTRA, "PL", None),
        ("Mira5", ASTRA, "PL", None), ("Mira 35", ASTRA, "PL", 14), ("Mira 1.5", ASTRA, "PL", 14),
        ("Mira", ASTRA, "PL", 14), ("Mirra 3", ASTRA, "PL", 12), ("Mirra 5", ASTRA, "PL", None),
        # Small typos.
        ("Lumo Crosss", ASTRA, "PL", 11), ("Lumo Corss", ASTRA, "PL", 11),
        ("Velo Grnd", BOREA, "PL", 20), ("Vello Grand", None, "PL", 20),
        ("Astra Nova Lunmo", None, "PL", 10), ("Boera Dunne", None, "GULF", 24),
        # Never between two that exist, nor of one that exists elsewhere.
        ("Tibe", BOREA, "PL", None), ("Tide", BOREA, "PL", 21), ("Tile", BOREA, "PL", 22),
        ("Luma", ASTRA, "PL", None), ("Luma", BOREA, "PL", 23), ("Lumi", None, "PL", None),
        ("Tid", BOREA, "PL", None),
        # What a market calls it.
        ("Sierra", None, "GULF", 10), ("سيرا", None, "GULF", 10), ("Sierra", None, "PL", 21),
        ("Sierra", None, "DE", None), ("Blask", ASTRA, "PL", 10), ("Blask", ASTRA, "GULF", None),
        # What the market sells counts first, what it doesn't sell still counts.
        ("Dune", None, "GULF", 24), ("Dune", None, "PL", 31), ("Dune", None, "DE", None),
        ("Dune", BOREA, "PL", 24), ("Velo Grand", BOREA, "GULF", 20),
        # A name of one digit says nothing in the middle of a text.
        ("5", FIVE, "PL", 30), ("Quint 5", None, "PL", 30), ("Quint 5 E-Tech", None, "PL", 30),
        ("something with 5 doors", FIVE, "PL", None),
        # Unknown.
        ("Corolla", None, "PL", None), ("", None, "PL", None), ("any", ASTRA, "PL", None),
        ("I don't know yet", ASTRA, "PL", None), ("🚗", ASTRA, "PL", None),
    ],
)  # fmt: skip
def test_models(text: str, brand: int | None, market: str, model: int | None) -> None:
    found = CATALOGUE.model_of(text, brand, market)
    assert (found.id if found else None) == model


def test_a_model_is_named_as_headquarters_names_it() -> None:
    found = CATALOGUE.model_of("astra lumo cross gt", None, "PL")
    assert found is not None
    assert (found.name, found.brand_id) == ("Lumo Cross", ASTRA)


@pytest.mark.parametrize(
    ("brand", "model", "default", "wanted"),
    [
        ("Astra Nova", "Lumo", None, (ASTRA, 10)),
        ("", "Lumo", None, (ASTRA, 10)),
        ("", "Tide", ASTRA, (BOREA, 21)),
        ("", "", ASTRA, (ASTRA, None)),
        ("", "Corolla", ASTRA, (ASTRA, None)),
        ("", "Borea, any", ASTRA, (BOREA, None)),
        ("Astra Nova Lumo", "", None, (ASTRA, 10)),
        ("Lumo", "Cross", None, (ASTRA, 11)),
        ("Toyota", "Corolla", ASTRA, (None, None)),
        ("Borea", "Astra Nova Lumo", None, (ASTRA, 10)),
    ],
)
def test_brand_and_model_help_each_other(
    brand: str, model: str, default: int | None, wanted: tuple[int | None, int | None]
) -> None:
    found = CATALOGUE.wanted(brand, model, "PL", default)
    assert (found.brand_id, found.model.id if found.model else None) == wanted


def test_an_empty_catalogue_knows_nothing() -> None:
    empty = Catalogue([], [])
    assert empty.brand_of("Borea") is None
    assert empty.wanted("Borea", "Tide", "PL", 7) == Wanted(None, None)


def test_a_name_that_two_brands_share_is_neither() -> None:
    shared = Catalogue([BrandRow(1, "a", "Twin"), BrandRow(2, "b", "Twin")], [])
    assert shared.brand_of("Twin") is None


@settings(max_examples=100, deadline=None)
@given(st.text(), st.text(), st.sampled_from([None, ASTRA, BOREA, 99]))
def test_any_text_is_looked_up_without_raising(text: str, market: str, brand: int | None) -> None:
    CATALOGUE.brand_of(text)
    CATALOGUE.model_of(text, brand, market)
    CATALOGUE.wanted(text, text[::-1], market, brand)
