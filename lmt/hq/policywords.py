"""A policy's settings in words: what each is called, what it does, and how a value reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel.support import LazyProxy

from lmt.escalation import Step, steps_from
from lmt.i18n import (
    country_name,
    format_duration,
    format_km,
    format_number,
    format_percent,
    format_working_time,
)
from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.labels import label
from lmt.models.lead import BANDS

CONDITIONS = ("request_type", "brand", "customer_kind", "band")


@dataclass(frozen=True, slots=True)
class Setting:
    """`kind` says how it is typed and read: see `value_words`. `own`: of the base alone."""

    name: str
    kind: str
    words: LazyProxy
    help: LazyProxy
    own: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    words: LazyProxy
    settings: tuple[Setting, ...]


GROUPS = (
    Group(
        "reach",
        _l("Reach"),
        (
            Setting(
                "radius_km", "km", _l("Radius"),
                _l("Dealers within it are asked first."),
            ),
            Setting(
                "rings_km", "list_km", _l("Wider rings"),
                _l("Tried one after the other where nobody inside the radius can. Growing numbers, with commas between them."),  # noqa: E501
            ),
            Setting(
                "max_accuracy_km", "km", _l("Least accuracy"),
                _l("A place known less closely than this waits for a person."),
            ),
            Setting(
                "language_required", "yes", _l("Dealer must speak the customer's language"),
                _l("Dealers who don't are ruled out."),
            ),
            Setting(
                "cross_border", "pairs", _l("Borders that may be crossed"),
                _l("Customer's country and dealer's country, one pair a line, such as AE SA."),
            ),
        ),
    ),
    Group(
        "doors",
        _l("Open doors"),
        (
            Setting(
                "open_bonus_km", "bands_km", _l("What an open door is worth"),
                _l("So many km farther away a dealer may be who is open now."),
            ),
            Setting(
                "max_wait_hours", "hours", _l("Longest wait for an opening"),
                _l("A dealer who opens later than this is ruled out."),
            ),
            Setting(
                "duty_desk", "dealer", _l("Duty desk"),
                _l("Takes hot leads while no dealer opens in time."),
            ),
        ),
    ),
    Group(
        "near",
        _l("Equally near"),
        (
            Setting(
                "tolerance_km", "km", _l("Tolerance"),
                _l("Dealers so close to the nearest one share the leads fairly."),
            ),
            Setting(
                "tolerance_share", "share", _l("Tolerance as a share of the distance"),
                _l("The larger of the two counts."),
            ),
        ),
    ),
    Group(
        "answer",
        _l("Time to answer"),
        (
            Setting(
                "accept_mode", "mode", _l("How a dealer gets a lead"),
                _l("Offered: it moves on unless it is accepted in time. Assigned: it is the dealer's at once."),  # noqa: E501
            ),
            Setting(
                "respond_within_minutes", "bands_minutes", _l("Time to accept"),
                _l("The dealer's own working minutes."),
            ),
            Setting(
                "contact_within_minutes", "bands_minutes", _l("Time to the first contact"),
                _l("Where leads are assigned at once. Empty: as long as the time to accept."),
            ),
        ),
    ),
    Group(
        "waiting",
        _l("Waiting and falling back"),
        (
            Setting(
                "cap_wait_minutes", "minutes", _l("Wait for a freed place"),
                _l("While every dealer nearby has reached its cap. 0: not at all."),
            ),
            Setting(
                "max_hops", "whole", _l("Dealers asked at most"),
                _l("After so many the lead goes to the fallback."),
            ),
            Setting(
                "fallback_dealer", "dealer", _l("Fallback"),
                _l("The team or dealer for leads that nobody else takes."),
            ),
        ),
    ),
    Group(
        "imports",
        _l("Imported leads"),
        (
            Setting(
                "release_per_hour", "whole", _l("Imported leads released per hour"),
                _l("Leads from files go to dealers at this pace. Empty: all of them at once."), own=True,  # noqa: E501
            ),
        ),
    ),
    Group(
        "teams",
        _l("Teams"),
        (
            Setting(
                "team_for", "customer_kinds", _l("Customers for a team"),
                _l("They go to a team of the market, not to the nearest showroom."),
            ),
        ),
    ),
    Group(
        "road",
        _l("Road"),
        (
            Setting(
                "use_road", "yes", _l("Rank by time on the road"),
                _l("Where a routing engine is set up; else the distance as the crow flies counts."),
            ),
        ),
    ),
    Group(
        "escalation",
        _l("Escalation"),
        (
            Setting(
                "escalation", "steps", _l("Steps"),
                _l("What happens when a lead waits: minutes are working minutes of the dealer that has it."),  # noqa: E501
            ),
        ),
    ),
    Group(
        "shown",
        _l("Explanations"),
        (
            Setting(
                "shown_ranked", "whole", _l("Ranked dealers that a decision keeps"),
                _l("More tell more, and take more room."), own=True,
            ),
            Setting(
                "shown_refusals", "whole", _l("Refused dealers that a decision keeps"),
                _l("More tell more, and take more room."), own=True,
            ),
        ),
    ),
)  # fmt: skip

SETTINGS: Mapping[str, Setting] = {s.name: s for group in GROUPS for s in group.settings}

STATES: Mapping[str, LazyProxy] = {
    "offered": _l("Not accepted yet"),
    "accepted": _l("Accepted, customer not contacted"),
    "contacted": _l("Contacted, nothing done since"),
    "plan_overdue": _l("A planned step is overdue"),
}
ACTIONS: Mapping[str, LazyProxy] = {
    "remind_dealer": _l("Remind the dealer"),
    "notify_manager": _l("Tell the dealer's manager"),
    "notify_headquarters": _l("Tell headquarters"),
    "reroute": _l("Give it to the next dealer"),
    "raise_priority": _l("Raise the priority"),
}
MODES: Mapping[str, LazyProxy] = {"offer": _l("Offered"), "assign": _l("Assigned at once")}
CONDITION_WORDS: Mapping[str, LazyProxy] = {
    "request_type": _l("Request"),
    "brand": _l("Brand"),
    "customer_kind": _l("Customer"),
    "band": _l("Priority"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that two versions don't share; `before` or `after` may be "" for nothing."""

    words: str
    before: str
    after: str


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], brands: Mapping[str, str]
) -> list[Difference]:
    """What changed between two complete sets of settings, in the order of the editor."""
    found = []
    for setting in SETTINGS.values():
        was, now = before.get(setting.name), after.get(setting.name)
        if was != now and (words := value_words(setting, now)) != value_words(setting, was):
            found.append(Difference(str(setting.words), value_words(setting, was), words))
    old = {case["name"]: case for case in before.get("cases", ())}
    new = {case["name"]: case for case in after.get("cases", ())}
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            found.append(
                Difference(
                    _("Case “%(name)s”", name=name),
                    case_words(old[name], brands) if name in old else "",
                    case_words(new[name], brands) if name in new else "",
                )
            )
    if list(old) != list(new) and set(old) == set(new):
        found.append(Difference(_("Order of the cases"), ", ".join(old), ", ".join(new)))
    return found


def case_words(case: Mapping[str, Any], brands: Mapping[str, str]) -> str:
    """A case in a sentence: when it holds, and what it sets."""
    when = "; ".join(condition_words(case.get("when", {}), brands))
    settings = "; ".join(
        f"{SETTINGS[name].words}: {value_words(SETTINGS[name], value)}"
        for name, value in case.get("settings", {}).items()
        if name in SETTINGS
    )
    return f"{when or _('Always')} → {settings}"


def condition_words(when: Mapping[str, Sequence[str]], brands: Mapping[str, str]) -> Iterator[str]:
    for name in CONDITIONS:
        if codes := when.get(name):
            said = [brands.get(c, c) if name == "brand" else label(name, c) for c in codes]
            yield f"{CONDITION_WORDS[name]}: {', '.join(said)}"


def value_words(setting: Setting, value: Any) -> str:
    """A value as a person reads it; "" for none."""
    match setting.kind, value:
        case _, None | "":
            return ""
        case "km", _:
            return format_km(value)
        case "share", _:
            return format_percent(value, 1)
        case "hours", _:
            return format_duration(value * 60)
        case "minutes", _:
            return format_duration(value) if value else format_number(0)
        case "whole", _:
            return format_number(value)
        case "yes", _:
            return _("yes") if value else _("no")
        case "list_km", _:
            return ", ".join(format_km(km) for km in value) or _("none")
        case "bands_km", _:
            return _by_band({band: format_km(km) for band, km in value.items()})
        case "bands_minutes", _:
            return _by_band({band: format_working_time(m) for band, m in value.items()})
        case "pairs", _:
            return ", ".join(f"{country_name(a)} → {country_name(b)}" for a, b in value) or _(
                "none"
            )
        case "mode", _:
            return str(MODES.get(value, value))
        case "customer_kinds", _:
            return ", ".join(label("customer_kind", kind) for kind in value) or _("none")
        case "steps", _:
            return "\n".join(step_words(step) for step in steps_from(value)) or _("none")
    return str(value)


def step_words(step: Step) -> str:
    """`Not accepted yet, 30 minutes (Hot): Give it to the next dealer`"""
    narrowed = [label("band", band) for band in step.band]
    if step.hop is not None:
        narrowed.append(_("dealer %(hop)s", hop=format_number(step.hop)))
    return _(
        "%(state)s, %(time)s%(narrowed)s: %(action)s",
        state=str(STATES[step.state]),
        time=format_working_time(step.after_minutes),
        narrowed=f" ({', '.join(narrowed)})" if narrowed else "",
        action=str(ACTIONS[step.action]),
    )


def _by_band(words: Mapping[str, str]) -> str:
    known = [band for band in BANDS if band in words]
    others = [band for band in words if band not in known]
    return ", ".join(f"{label('band', band)} {words[band]}" for band in [*known, *others])
