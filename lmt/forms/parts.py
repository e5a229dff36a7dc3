"""The questions of a form as the page puts them: control, words, attributes and what was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

from lmt.forms.answers import Answers, shown_fields
from lmt.forms.countryaddresses import PARTS, AddressPart, address_parts, part_label
from lmt.forms.definition import FormDefinition, StepDefinition
from lmt.forms.fields import MOST_FILE_MB, FieldDefinition, OptionDefinition, Words
from lmt.forms.rules import day_bounds
from lmt.forms.steps import country_of
from lmt.i18n import country_name, format_number
from lmt.i18n import gettext as _

MOST_RADIOS = 5
"""More options than these are a select: a phone shows its own list, and the page stays short."""
FILE_ACCEPT = ".pdf,.jpg,.jpeg,.png,.heic,.webp"

_CONTROLS = {
    "longtext": "textarea",
    "choices": "checks",
    "time_window": "radios",
    "country": "select",
    "model": "select",
    "address": "address",
    "dealer": "dealer",
    "consent": "consent",
    "hidden": "hidden",
    "file": "file",
}
_INPUT_TYPES = {"email": "email", "phone": "tel", "date": "date", "file": "file"}
_LEFT_TO_RIGHT = frozenset({"email", "phone", "postcode", "number", "date"})
_AUTOCOMPLETE = {
    "customer.title": "honorific-prefix",
    "customer.first_name": "given-name",
    "customer.last_name": "family-name",
    "customer.full_name": "name",
    "customer.company": "organization",
    "customer.email": "email",
    "customer.phone": "tel",
    "address.street": "address-line1",
    "address.postcode": "postal-code",
    "address.city": "address-level2",
    "address.region": "address-level1",
    "address.country": "country",
}
"""By the place in a lead that the answer goes to."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One option as it is offered; `id` is the element's."""

    id: str
    value: str
    label: str
    group: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """One question, or one part of an address, ready to be written out.

    `control` is input, textarea, select, radios, checks, consent, file, address, dealer or hidden.
    `attributes` are those of the control itself; `described_by` names its help and its error.
    """

    name: str
    type: str
    control: str
    label: str
    value: str = ""
    help: str = ""
    error: str = ""
    required: bool = False
    optional: bool = False
    shown: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    parts: tuple[Question, ...] = ()

    @property
    def described_by(self) -> str:
        helped = [f"{self.name}-help"] if self.help else []
        return " ".join([*helped, f"{self.name}-error"])

    @property
    def grouped(self) -> list[tuple[str, list[Choice]]]:
        """The choices in runs of one group."""
        return [(group, list(run)) for group, run in groupby(self.choices, lambda c: c.group)]


@dataclass(frozen=True, slots=True)
class Section:
    """Questions under one heading; without a key, those that come before any heading."""

    key: str
    label: str
    help: str
    shown: bool
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """A form being shown: in which language, with which answers and errors, on which day."""

    definition: FormDefinition
    language: str
    answers: Answers
    errors: Mapping[str, str]
    today: date | None = None

    def words(self, words: Words) -> str:
        return self.definition.words(words, self.language)

    def sections(self, step: StepDefinition) -> list[Section]:
        shown = shown_fields(self.definition, self.answers)
        runs: list[tuple[FieldDefinition | None, list[FieldDefinition]]] = [(None, [])]
        for item in step.fields:
            if item.type == "section":
                runs.append((item, []))
            else:
                runs[-1][1].append(item)
        return [
            Section(
                key=head.key if head else "",
                label=self.words(head.label) if head else "",
                help=self.words(head.help) if head else "",
                shown=head is None or head.key in shown,
                questions=tuple(self._question(item, item.key in shown) for item in items),
            )
            for head, items in runs
            if head or items
        ]

    def _question(self, item: FieldDefinition, shown: bool) -> Question:
        control = _control(item)
        return Question(
            name=item.key,
            type=item.type,
            control=control,
            label=self.words(item.label),
            value=self._value(item),
            help=self._help(item),
            error=self.errors.get(item.key, ""),
            required=item.required,
            optional=not item.required and item.key not in _either(self.definition),
            shown=shown,
            attributes=_attributes(item, self.today),
            choices=tuple(self._choices(item, control)),
            parts=tuple(self._address(item)) if item.type == "address" else (),
        )

    def _value(self, item: FieldDefinition) -> str:
        if item.type == "hidden" and not item.prefill:
            return item.value
        return self.answers.get(item.key) or item.value

    def _help(self, item: FieldDefinition) -> str:
        own = self.words(item.help)
        if item.type != "file":
            return own
        size = _(
            "A picture or a PDF, at most %(size)s MB.",
            size=format_number(item.most or MOST_FILE_MB),
        )
        return f"{own} {size}".strip()

    def _choices(self, item: FieldDefinition, control: str) -> Iterator[Choice]:
        given = self._value(item).split("\n")
        offered = list(item.options)
        if control == "radios" and not item.required:
            # Nobody can take back a radio button, so there is one that says nothing.
            yield Choice(item.key, "", _("No preference"), chosen=not given[0])
        first = 1 if control == "radios" and not item.required else 0
        for at, option in enumerate(offered, first):
            yield Choice(
                id=item.key if at == 0 else f"{item.key}--{at}",
                value=option.id,
                label=self._label(option),
                group=self.words(option.group),
                chosen=option.id in given,
            )

    def _label(self, option: OptionDefinition) -> str:
        return self.words(option.label) or option.id

    def _address(self, item: FieldDefinition) -> Iterator[Question]:
        """The country, where there is a choice, and the parts in the order of the country shown;
        what that country doesn't ask for comes last, unseen, for the script to bring forward."""
        country = country_of(item, self.answers)
        if len(item.countries) > 1:
            yield self._country(item, country)
        asked = address_parts(country, self.language)
        for part in asked:
            yield self._part(item, part, shown=True)
        for name in PARTS:
            if name not in {part.part for part in asked}:
                yield self._part(item, AddressPart(name, False, name), shown=False)

    def _country(self, item: FieldDefinition, country: str) -> Question:
        name = f"{item.key}-country"
        return Question(
            name=name,
            type="country",
            control="select",
            label=part_label("country", self.language),
            value=country,
            error=self.errors.get(name, ""),
            required=item.required,
            attributes={"autocomplete": "country"},
            choices=tuple(
                Choice("", code, country_name(code), chosen=code == country)
                for code in item.countries
            ),
        )

    def _part(self, item: FieldDefinition, part: AddressPart, *, shown: bool) -> Question:
        name = f"{item.key}-{part.part}"
        value = self.answers.get(name, "")
        attributes: dict[str, Any] = {"autocomplete": _AUTOCOMPLETE[f"address.{part.part}"]}
        if not part.areas:
            attributes |= {
                "type": "text",
                "maxlength": 20 if part.part == "postcode" else 200,
                "dir": "ltr" if part.part == "postcode" else "auto",
            }
        return Question(
            name=name,
            type=part.part,
            control="select" if part.areas else "input",
            label=part_label(part.label, self.language),
            value=value,
            error=self.errors.get(name, ""),
            required=part.required and item.required,
            optional=not (part.required and item.required),
            shown=shown,
            attributes=attributes,
            choices=tuple(
                Choice("", area, self.words(words) or area, chosen=area == value)
                for area, words in part.areas
            ),
        )


def _control(item: FieldDefinition) -> str:
    if item.type == "choice":
        return "radios" if len(item.options) <= MOST_RADIOS else "select"
    return _CONTROLS.get(item.type, "input")


def _attributes(item: FieldDefinition, today: date | None) -> dict[str, Any]:
    found: dict[str, Any] = {"autocomplete": _AUTOCOMPLETE.get(item.place)}
    if item.type == "file":
        return {"type": "file", "accept": FILE_ACCEPT}
    if item.options:
        return found
    if item.type != "longtext":
        found["type"] = _INPUT_TYPES.get(item.type, "text")
    if item.type == "number":
        # Not type=number: it refuses the digits of other scripts, and a wheel changes it unseen.
        found["inputmode"] = "decimal"
    if item.type == "date":
        earliest, latest = day_bounds(item, today) if today else ("", "")
        found |= {"min": earliest or None, "max": latest or None}
    else:
        found["maxlength"] = item.max_length
    found["dir"] = "ltr" if item.type in _LEFT_TO_RIGHT else "auto"
    return found


def _either(definition: FormDefinition) -> frozenset[str]:
    """Fields of which one is enough, so that neither is called optional."""
    ways = [item for item in definition.fields if item.type in {"phone", "email"}]
    if len(ways) < 2 or any(item.required for item in ways):
        return frozenset()
    return frozenset(item.key for item in ways)
