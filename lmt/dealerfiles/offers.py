"""What a dealer is good at, as lists write it: "aurel:sales,after_sales; nova:sales(mira|lyra)", or
a column for each brand and service."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lmt.dealerfiles.vocabulary import service_named
from lmt.mapping.folding import words_of

Offer = tuple[str, str, tuple[str, ...]]
"""Brand, service, and the codes of the models, sorted; none of them for all."""

_ENTRY = re.compile(r"\s*([^():,]+?)\s*(?:\(([^()]*)\))?\s*")


@dataclass(frozen=True, slots=True)
class Brands:
    """The brands and models on sale: {what it is called, folded: code}, models by brand's code."""

    names: Mapping[str, str]
    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        brands: Sequence[tuple[str, Sequence[str]]],
        models: Sequence[tuple[str, str, Sequence[str]]] = (),
    ) -> Brands:
        """From (code, names) of brands and (brand, code, names) of models."""
        by_brand: dict[str, dict[str, str]] = {}
        for brand, code, names in models:
            for name in (code, *names):
                by_brand.setdefault(brand, {}).setdefault(folded(name), code)
        called = {folded(name): code for code, names in brands for name in (code, *names)}
        return cls(called, by_brand)

    def code_of(self, text: str) -> str:
        return self.names.get(folded(text), "")

    @property
    def only(self) -> str:
        """The one brand there is; "" where there are several."""
        codes = set(self.names.values())
        return next(iter(codes)) if len(codes) == 1 else ""


@dataclass(frozen=True, slots=True)
class BadOffer:
    """Why an entry can't be kept: unknown_brand, unknown_service, unknown_model, no_brand,
    no_service, not_competences."""

    code: str
    given: str


def folded(text: str) -> str:
    return "".join(words_of(text))


def offers_of(text: str, brands: Brands) -> frozenset[Offer] | BadOffer:
    """The competences of one cell. A service without a brand is the only brand's, where there is
    but one; models stand in brackets after their service."""
    found: set[Offer] = set()
    for part in re.split(r"\s*[;\n؛]\s*", text.strip()):
        if not part:
            continue
        named, colon, listed = part.partition(":")
        brand = brands.code_of(named) if colon else brands.only
        if not brand:
            return BadOffer("unknown_brand" if colon else "no_brand", named if colon else part)
        for entry in re.split(r"[,،](?![^(]*\))", listed if colon else part):
            read = _ENTRY.fullmatch(entry)
            if read is None:
                return BadOffer("not_competences", part)
            service = service_named(read[1])
            if not service:
                return BadOffer("unknown_service", read[1])
            models = models_of(read[2] or "", (brand,), brands)
            if isinstance(models, BadOffer):
                return models
            found.add((brand, service, models))
    return frozenset(found)


def listed_offers(
    brand_text: str, service_text: str, model_text: str, brands: Brands
) -> frozenset[Offer] | BadOffer:
    """Every brand of one cell with every service of another, for the models of a third."""
    named = []
    for part in _listed(brand_text):
        code = brands.code_of(part)
        if not code:
            return BadOffer("unknown_brand", part)
        named.append(code)
    if not named and brands.only:
        named = [brands.only]
    services = []
    for part in _listed(service_text):
        service = service_named(part)
        if not service:
            return BadOffer("unknown_service", part)
        services.append(service)
    if services and not named:
        return BadOffer("no_brand", service_text)
    if named and brand_text.strip() and not services:
        return BadOffer("no_service", brand_text)
    found: set[Offer] = set()
    for brand in named if services else ():
        models = models_of(model_text, (brand,), brands)
        if isinstance(models, BadOffer):
            return models
        found.update((brand, service, models) for service in services)
    return frozenset(found)


def models_of(text: str, of: Sequence[str], brands: Brands) -> tuple[str, ...] | BadOffer:
    """The codes of the models listed, each of one of the brands `of`."""
    codes: set[str] = set()
    for part in _listed(text.replace("/", ";").replace("|", ";")):
        code = next((c for b in of if (c := brands.models.get(b, {}).get(folded(part)))), "")
        if not code:
            return BadOffer("unknown_model", part)
        codes.add(code)
    return tuple(sorted(codes))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,;|+\n،؛]|\s/\s", text) if part.strip()]
