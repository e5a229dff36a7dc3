"""The fields of the lead schema: strict types whose messages speak the caller's language."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from babel.support import LazyProxy
from marshmallow import ValidationError, fields

from lmt.i18n import gettext as _
from lmt.i18n import lazy_gettext as _l
from lmt.ingest.characters import has_control_characters

MAX_ATTRIBUTES = 100
MAX_ATTRIBUTES_BYTES = 20_000
MAX_ATTRIBUTES_DEPTH = 3

Check = Callable[[str], str]


def translated(**messages: LazyProxy) -> dict[str, Any]:
    """Error messages by marshmallow's keys, translated when they are shown."""
    return dict(messages)


class _Translated:
    """A field whose own messages are translated when they are raised, not at import."""

    error_messages: dict[str, Any]

    def make_error(self, key: str, **variables: Any) -> ValidationError:
        return ValidationError(str(self.error_messages[key]))


class Text(_Translated, fields.String):
    """A string or null; no longer than `length`, without control characters, passing `check`.

    `check` returns what is wrong with a text that isn't empty, or "".
    """

    default_error_messages = translated(invalid=_l("Give a text."))

    def __init__(
        self, length: int, check: Check | None = None, *, lines: bool = False, **options: Any
    ) -> None:
        options.setdefault("allow_none", True)
        metadata = {"maxLength": length, **options.pop("metadata", {})}
        super().__init__(validate=self._wrong, metadata=metadata, **options)
        self.length = length
        self.check = check
        self.lines = lines

    def _wrong(self, text: str) -> None:
        if len(text) > self.length:
            message = _("Use at most %(count)s characters.", count=self.length)
            raise ValidationError(message)
        if has_control_characters(text, lines=self.lines):
            raise ValidationError(_("Leave out control characters."))
        wrong = self.check(text) if self.check and text.strip() else ""
        if wrong:
            raise ValidationError(wrong)


class Flag(_Translated, fields.Boolean):
    default_error_messages = translated(invalid=_l("Give true or false."))


class Number(_Translated, fields.Float):
    """A finite number within bounds, or null."""

    default_error_messages = translated(
        invalid=_l("Give a number."),
        too_large=_l("Give a number."),
        special=_l("Give a number."),
    )

    def __init__(self, lowest: int, highest: int, **options: Any) -> None:
        metadata = {"minimum": lowest, "maximum": highest}
        super().__init__(allow_none=True, validate=self._wrong, metadata=metadata, **options)
        self.bounds = (lowest, highest)

    def _validated(self, value: Any) -> float:
        if isinstance(value, bool):
            raise self.make_error("invalid")
        return super()._validated(value)

    def _wrong(self, number: float) -> None:
        if not self.bounds[0] <= number <= self.bounds[1]:
            raise ValidationError(out_of_bounds(*self.bounds))


class Whole(_Translated, fields.Integer):
    default_error_messages = translated(
        invalid=_l("Give a whole number."),
        too_large=_l("Give a whole number."),
    )


class Part(_Translated, fields.Nested):
    default_error_messages = translated(
        type=_l("Give an object."),
        null=_l("Give an object."),
    )


class FreeObject(_Translated, fields.Dict):
    default_error_messages = translated(
        invalid=_l("Give an object."),
        null=_l("Give an object."),
    )


class Items(_Translated, fields.List[Any]):
    default_error_messages = translated(
        invalid=_l("Give a list."),
        null=_l("Give a list."),
    )


def out_of_bounds(lowest: int, highest: int) -> str:
    """What to say of a number beyond its bounds."""
    return _("Give a number from %(lowest)s to %(highest)s.", lowest=lowest, highest=highest)


def check_attributes(value: Any) -> None:
    """Custom keys: few, small, flat enough, and storable."""
    if len(value) > MAX_ATTRIBUTES:
        raise ValidationError(_("Use at most %(count)s keys.", count=MAX_ATTRIBUTES))
    texts: list[str] = []
    if not _collect(value, texts, MAX_ATTRIBUTES_DEPTH):
        message = _("Nest values at most %(count)s levels deep.", count=MAX_ATTRIBUTES_DEPTH)
        raise ValidationError(message)
    if any(has_control_characters(text, lines=True) for text in texts):
        raise ValidationError(_("Leave out control characters."))
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except ValueError as error:
        raise ValidationError(_("Leave out numbers that are not finite.")) from error
    if size > MAX_ATTRIBUTES_BYTES:
        raise ValidationError(_("Use at most %(count)s bytes.", count=MAX_ATTRIBUTES_BYTES))


def _collect(value: Any, texts: list[str], levels: int) -> bool:
    """Gather every text of the value; False when objects and lists nest beyond `levels`."""
    if isinstance(value, str):
        texts.append(value)
        return True
    if not isinstance(value, Mapping | list):
        return True
    if levels == 0:
        return False
    if isinstance(value, Mapping):
        texts += [str(key) for key in value]
        return all(_collect(item, texts, levels - 1) for item in value.values())
    return all(_collect(item, texts, levels - 1) for item in value)
