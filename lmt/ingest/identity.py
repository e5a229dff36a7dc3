"""Is this somebody we know? Decides which customer a lead belongs to, before it is accepted.

A shared phone or mail is a reason to look, never enough where names speak against it: households
share phones, companies share addresses. `same` joins a lead to a customer and has to be precise;
`maybe` is a question to people. The rules in prose: docs/customers.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import phonenumbers
from rapidfuzz.fuzz import token_set_ratio

from lmt.ingest.likenames import Likeness, likeness
from lmt.ingest.likeplaces import Home, city_key, nearness, postcode_key
from lmt.ingest.namekeys import (
    company_words,
    consonants,
    folded,
    is_company_name,
    name_words,
    sounding,
)
from lmt.ingest.sharedkeys import MailKind, canonical_mail, is_placeholder_phone, mail_kind

VerdictWord = Literal["same", "maybe", "different"]

LIKE_COMPANIES = 88


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, as understood: `phone` in E.164 counts alone, `country` is ISO 3166 alpha-2."""

    full_name: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""
    postcode: str = ""
    city: str = ""
    street: str = ""

    @property
    def name(self) -> str:
        """The person's name, without what is a company's; "" where none was given."""
        name = self.full_name or f"{self.first_name} {self.last_name}".strip()
        if is_company_name(name) or (self.company and folded(name) == folded(self.company)):
            return ""
        return name

    @property
    def firm(self) -> str:
        """The company's name, also where it stands in place of the person's."""
        if self.company:
            return self.company
        name = self.full_name or f"{self.first_name} {self.last_name}".strip()
        return name if is_company_name(name) else ""


@dataclass(frozen=True, slots=True)
class Known:
    """A customer who shares a key: as they last said who they are, and every mail and phone."""

    customer_id: int
    person: Person
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """`score` is 0 to 1 (same from 0.85, maybe from 0.5); `reasons` are codes of what speaks for
    and against it: phone, email, shared_email, address, postcode, city, company, name_…"""

    score: float
    verdict: VerdictWord
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """The customer this surely is, and those it may be, the surest first."""

    same: Known | None
    maybe: tuple[tuple[Known, Verdict], ...]


def keys_of(person: Person) -> list[tuple[str, str]]:
    """What finds this person again, as (kind, value), sorted: phone, email, name_place."""
    keys = set()
    if _is_phone(person.phone):
        keys.add(("phone", person.phone))
    mail = canonical_mail(person.email)
    if mail and mail_kind(mail) != MailKind.PLACEHOLDER:
        keys.add(("email", mail))
    if name := _name_key(person):
        country = person.country.upper()
        if postcode := postcode_key(person.postcode):
            keys.add(("name_place", f"{name}|{country}|{postcode}"))
        if city := city_key(person.city):
            keys.add(("name_place", f"{name}|{country}|:{city}"))
    return sorted(keys)


def judge(person: Person, known: Known) -> Verdict:
    """Whether the person is this customer. Never raises; the two may be changed for each other."""
    mails = _mails(person.email) & _mails(known.person.email, *known.emails)
    phones = _phones(person.phone) & _phones(known.person.phone, *known.phones)
    other = known.person
    names = likeness(person.name, other.name)
    firms = _firms(person, other)
    personal = any(mail_kind(mail) == MailKind.PERSONAL for mail in mails)
    place = nearness(_home(person), _home(other))
    reasons = [
        *(["phone"] if phones else []),
        *(["email"] if personal else ["shared_email"] if mails else []),
        *([place] if place else []),
        *([f"company_{firms}"] if firms else []),
        str(names),
    ]
    if phones or mails:
        score = _by_keys(person, other, names, firms, phones, personal=personal, mails=bool(mails))
    else:
        score = _by_place(names, firms, place)
    return Verdict(score, _word(score), tuple(reasons))


def match(person: Person, candidates: Sequence[Known]) -> Match:
    """Which of the candidates the person is. Where two could be and no name says which, none is."""
    judged = [(known, judge(person, known)) for known in candidates]
    judged.sort(key=lambda pair: (-pair[1].score, pair[0].customer_id))
    sure = [pair for pair in judged if pair[1].verdict == "same"]
    asked = [pair for pair in judged if pair[1].verdict != "different"]
    chosen = None
    if sure:
        named = [pair for pair in sure if Likeness.SAME in pair[1].reasons]
        if named:
            chosen = named[0]
        elif len(asked) == 1:
            chosen = sure[0]
    rest = tuple(pair for pair in asked if chosen is None or pair is not chosen)
    return Match(chosen[0] if chosen else None, rest)


SAME, MAYBE = 0.85, 0.5

#: By how the names stand to each other: (phone and mail, mail, phone, a company's mail).
_SCORES: dict[Likeness, tuple[float, float, float, float]] = {
    Likeness.SAME: (0.99, 0.96, 0.95, 0.9),
    Likeness.GIVEN: (0.96, 0.9, 0.86, 0.6),
    Likeness.INITIAL: (0.96, 0.9, 0.7, 0.7),
    Likeness.FAMILY: (0.92, 0.86, 0.65, 0.6),
    Likeness.MARRIED: (0.88, 0.75, 0.6, 0.4),
    Likeness.PARTLY: (0.8, 0.7, 0.6, 0.55),
    Likeness.UNKNOWN: (0.92, 0.87, 0.7, 0.55),
    Likeness.HOUSEHOLD: (0.6, 0.4, 0.3, 0.2),
    Likeness.OTHER: (0.55, 0.35, 0.2, 0.1),
}
_BY_PLACE: dict[str, float] = {"address": 0.88, "postcode": 0.65, "city": 0.55}


def _by_keys(
    person: Person,
    other: Person,
    names: Likeness,
    firms: str,
    phones: set[str],
    *,
    personal: bool,
    mails: bool,
) -> float:
    """How sure it is by a shared phone or mail."""
    both, mail, phone, shared = _SCORES[names]
    score = max(
        both if phones and personal else 0.0,
        mail if personal else 0.0,
        phone if phones else 0.0,
        shared if mails else 0.0,
    )
    if names is not Likeness.UNKNOWN:
        return score
    named = [bool(name_words(each.name).words) for each in (person, other)]
    if not any(named):
        # Nobody gave a name: all that was said agrees, unless it is two companies.
        firm_apart = firms == "differs" or bool(person.firm) != bool(other.firm)
        return 0.6 if firm_apart else max(score, 0.87)
    if all(named):
        return score if phones and personal else min(score, 0.75)
    if bool(person.firm) != bool(other.firm) or firms == "differs":
        # A company and a person, who may work there.
        return min(score, 0.6)
    if firms == "agrees":
        # Who of the company's people calls from the switchboard, nobody said.
        return score if personal else min(score, 0.6)
    if phones and all(_is_mobile(number) for number in phones):
        return max(score, 0.86)
    return score


def _by_place(names: Likeness, firms: str, place: str) -> float:
    """How sure it is by name and place alone."""
    if names is Likeness.SAME and place:
        return _BY_PLACE[place]
    if names in (Likeness.INITIAL, Likeness.PARTLY, Likeness.UNKNOWN) and place == "address":
        return 0.55 if names is not Likeness.UNKNOWN or firms == "agrees" else 0.2
    return 0.1 if names in (Likeness.OTHER, Likeness.HOUSEHOLD) else 0.3


def _home(person: Person) -> Home:
    return Home(person.country, person.postcode, person.city, person.street)


def _word(score: float) -> VerdictWord:
    return "same" if score >= SAME else "maybe" if score >= MAYBE else "different"


def _firms(a: Person, b: Person) -> str:
    """agrees or differs; "" where one has none."""
    if not a.firm or not b.firm:
        return ""
    one, other = " ".join(company_words(a.firm)), " ".join(company_words(b.firm))
    if one == other:
        return "agrees"
    return "agrees" if token_set_ratio(*sorted((one, other))) >= LIKE_COMPANIES else "differs"


def _name_key(person: Person) -> str:
    """First and last word of the name as their consonants, in one order for all; "" for less."""
    words = name_words(person.name).words
    if len(words) >= 2:
        ends = (words[0], words[-1])
        return "+".join(sorted(_word_key(word.text) for word in ends))
    if not words and person.firm:
        return "=" + "".join(company_words(person.firm))[:60]
    return ""


def _word_key(word: str) -> str:
    if word.isascii():
        bare = word[2:] if word.startswith(("al", "el")) and len(word) >= 7 else word
        word = sounding(bare)
    return consonants(word) or folded(word).replace(" ", "")[:40]


def _mails(*given: str) -> set[str]:
    found = {canonical_mail(mail) for mail in given}
    return {mail for mail in found if mail and mail_kind(mail) != MailKind.PLACEHOLDER}


def _phones(*given: str) -> set[str]:
    return {phone for phone in given if _is_phone(phone)}


def _is_phone(phone: str) -> bool:
    return phone.startswith("+") and not is_placeholder_phone(phone)


@lru_cache(maxsize=2048)
def _is_mobile(phone: str) -> bool:
    """Whether the number is surely a mobile's, which one person carries."""
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(phone, None))
    except phonenumbers.NumberParseException:
        return False
    return bool(kind == phonenumbers.PhoneNumberType.MOBILE)
