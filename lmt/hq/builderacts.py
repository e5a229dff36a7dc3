"""What the builder's buttons do: each act makes another draft, and says what has happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lmt import customfields, publishing, web
from lmt.forms.definition import FormDefinition
from lmt.hq import builderview as view
from lmt.hq import formedits as edits
from lmt.hq.builderinput import Typed, with_typed
from lmt.hq.builderwords import TYPES, moved_words, removed_words
from lmt.hq.draftfields import blank_field
from lmt.hq.formedits import BadEdit, Draft
from lmt.i18n import gettext as _
from lmt.models import Form


@dataclass(frozen=True, slots=True)
class Done:
    """What an act made of a draft: the part to show, what to say, and what to put the focus on."""

    draft: Draft
    where: str
    told: str = ""
    focus: str = ""


def done(form: Form, draft: Draft, where: str, typed: Typed) -> Done:
    """Raises BadEdit."""
    do = typed.get("do", "save")
    act, _sep, what = do.partition(":")
    if act == "undo":
        former = former_of(typed)
        if former is None:
            raise BadEdit("unreadable")
        return Done(former, where, _("The last change was undone."))
    draft, where = with_typed(draft, where, typed, do)
    if act == "open":
        return Done(draft, what)
    acts: dict[str, Callable[[], Done]] = {
        "up": lambda: _nudged(draft, what, down=False),
        "down": lambda: _nudged(draft, what, down=True),
        "place": lambda: _placed(draft, typed),
        "remove": lambda: _removed(draft, what, where),
        "step-up": lambda: _step_moved(draft, what, -1),
        "step-down": lambda: _step_moved(draft, what, 1),
        "step-remove": lambda: _step_removed(draft, what, where),
        "step-add": lambda: _step_added(draft),
        "add": lambda: _added(form, draft, what, typed.get("add-to", "")),
    }
    if act in acts:
        return acts[act]()
    told = _("Saved.") if do == "save" else ""
    focus = ""
    if act.startswith("option-"):
        focus = "f-options"
    return Done(draft, where, told, focus)


def _nudged(draft: Draft, key: str, down: bool) -> Done:
    place = edits.nudged(draft, key, down)
    if place is None:
        return Done(draft, f"field/{key}")
    return _moved(edits.move_field(draft, key, *place), key)


def _placed(draft: Draft, typed: Typed) -> Done:
    key, position = typed.get("place-key", ""), typed.get("place-position", "")
    if not position.isdecimal():
        raise BadEdit("unreadable")
    return _moved(edits.move_field(draft, key, typed.get("place-step", ""), int(position)), key)


def _moved(draft: Draft, key: str) -> Done:
    names = view.names_of(draft)
    step, position = edits.place_of(draft, key)
    of = len(edits.step_of(draft, step)["fields"])
    return Done(
        draft,
        f"field/{key}",
        moved_words(names[key], names[step], position + 1, of),
        focus=f"row-{key}",
    )


def _removed(draft: Draft, key: str, where: str) -> Done:
    names = view.names_of(draft)
    shown = [names[each] for each in edits.shown_by(draft, [key])]
    step, position = edits.place_of(draft, key)
    new = edits.remove_field(draft, key)
    left = edits.step_of(new, step)["fields"]
    near = left[min(position, len(left) - 1)]["key"] if left else ""
    return Done(
        new,
        f"step/{step}" if where == f"field/{key}" else where,
        removed_words(names.get(key, key), shown),
        focus=f"row-{near}" if near else f"row-{step}",
    )


def _step_moved(draft: Draft, key: str, by: int) -> Done:
    at = draft["steps"].index(edits.step_of(draft, key))
    new = edits.move_step(draft, key, at + by)
    names = view.names_of(new)
    position = new["steps"].index(edits.step_of(new, key)) + 1
    told = moved_words(names[key], _("the form"), position, len(new["steps"]))
    return Done(new, f"step/{key}", told, focus=f"row-{key}")


def _step_removed(draft: Draft, key: str, where: str) -> Done:
    names = view.names_of(draft)
    inside = [item["key"] for item in edits.step_of(draft, key)["fields"]]
    shown = [names[each] for each in edits.shown_by(draft, inside) if each != key]
    new = edits.remove_step(draft, key)
    gone = {f"step/{key}", *(f"field/{each}" for each in inside)}
    return Done(
        new,
        "form" if where in gone else where,
        removed_words(names[key], shown),
        focus=f"row-{new['steps'][0]['key']}",
    )


def _step_added(draft: Draft) -> Done:
    new = edits.add_step(draft, {})
    key = new["steps"][-1]["key"]
    focus = f"f-title.{new['default_language']}"
    return Done(new, f"step/{key}", _("A step was added at the end."), focus)


def _added(form: Form, draft: Draft, what: str, step: str) -> Done:
    """`what` is an entry of the menu; it goes to the end of the step."""
    kind, _sep, name = what.partition("/")
    market_id = form.source.market_id
    if kind == "blank":
        item = _blank(form, draft, name)
    else:
        offered = (
            publishing.ready_fields(web.db(), market_id)
            if kind == "system"
            else customfields.fields_of(web.db(), market_id)
        )
        found = next((each for each in offered if each.key == name), None)
        if found is None:
            raise BadEdit("gone", name)
        item = found.to_json()
    new = edits.add_field(draft, step or draft["steps"][-1]["key"], item)
    names = view.names_of(new)
    told = _("“%(name)s” was added.", name=names[item["key"]])
    focus = f"f-label.{new['default_language']}" if kind == "blank" else f"row-{item['key']}"
    return Done(new, f"field/{item['key']}", told, focus)


def _blank(form: Form, draft: Draft, kind: str) -> dict[str, Any]:
    if kind not in TYPES:
        raise BadEdit("unreadable")
    market_id = form.source.market_id
    countries, _brands = publishing.market_facts(web.db(), market_id)
    ready = {each.type: each.to_json() for each in publishing.ready_fields(web.db(), market_id)}
    options = ready.get(kind, {}).get("options", []) if kind in {"model", "country"} else []
    taken = {item["key"] for step in draft["steps"] for item in step["fields"]}
    return blank_field(kind, taken, options, countries)


def former_of(typed: Typed) -> Draft | None:
    """The draft before the last change, as the page brought it along; None for none.

    It is a draft like any other: whoever may edit may send any.
    """
    try:
        former = json.loads(typed.get("former", ""))
        return FormDefinition.from_json(former).to_json()
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None


def countries_of(form: Form) -> list[str]:
    return publishing.market_facts(web.db(), form.source.market_id)[0]
