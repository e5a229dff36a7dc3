"""What POST /api/v1/forms/<code>/submissions takes around the answers."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from lmt.forms.fields import CAMPAIGN_KEYS, CLICK_KEYS
from lmt.i18n import lazy_gettext as _l
from lmt.ingest.schemafields import FreeObject, Part, Text, Whole, translated

LONGEST_CAMPAIGN = 500


class _Strict(Schema):
    error_messages = translated(
        unknown=_l("This field is not known."),
        type=_l("Give an object."),
    )


def _campaign() -> type[Schema]:
    texts: dict[str, fields.Field[Any]] = {
        key: Text(LONGEST_CAMPAIGN) for key in (*CAMPAIGN_KEYS, *CLICK_KEYS)
    }
    return _Strict.from_dict(texts, name="SubmissionCampaign")


CampaignSchema = _campaign()


class SubmissionSchema(_Strict):
    """An answered form. `answers` are checked by the form's own schema."""

    answers = FreeObject(
        required=True,
        error_messages=translated(required=_l("Give the answers."), null=_l("Give the answers.")),
    )
    language = Text(35)
    campaign = Part(CampaignSchema)
    version = Whole(strict=True, metadata={"minimum": 1})
