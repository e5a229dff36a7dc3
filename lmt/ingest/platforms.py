"""What a platform tells of a lead besides the person's answers: its id, its ads, when, and whether
it is a test. Field names are those of the platforms' own documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lmt.ingest.instants import epoch_instant, written_instant
from lmt.ingest.leadinput import ID_LENGTH

MOST_ENTRIES = 200
_META_TEST = "<test lead:"
"""How Meta's testing tool begins the answers it makes up."""


class NoLead(ValueError):
    """A document of the platform without a lead in it; `field` is what is missing or wrong."""

    def __init__(self, code: str, field: str = ""):
        super().__init__(code)
        self.code, self.field = code, field


@dataclass(frozen=True, slots=True)
class PlatformLead:
    """One lead of a platform: `record` is what a mapping reads; `sent_at` ISO 8601 or "".

    `platform_ids` are tokens `<platform>:<what>:<id>`, by which a campaign is found.
    """

    id: str
    record: Mapping[str, Any]
    test: bool = False
    sent_at: str = ""
    platform_ids: tuple[str, ...] = ()


def text_id(value: Any) -> str:
    """An id as text, whether it came as a number or a string; "" for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        # Beyond 64 bits nothing is an id, and very long numbers are slow to write.
        return str(value) if 0 <= value < 1 << 64 else ""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    return text if len(text) <= ID_LENGTH and text.isprintable() else ""


def google_lead(record: Any) -> PlatformLead:
    """A delivery of the lead form webhook. Raises NoLead."""
    facts = _object(record)
    return PlatformLead(
        id=_named(facts, "lead_id"),
        record=facts,
        test=facts.get("is_test") is True,
        sent_at=_instant(facts.get("lead_submit_time")),
        platform_ids=_tokens(
            "google",
            facts,
            campaign="campaign_id",
            adgroup="adgroup_id",
            creative="creative_id",
            asset_group="asset_group_id",
            form="form_id",
        ),
    )


def meta_lead(record: Any) -> PlatformLead:
    """What the Graph API says of a lead. Its `id` may be missing: who asked knows it."""
    facts = _object(record)
    if "entry" in facts and "field_data" not in facts:
        raise NoLead("announcement", "entry")
    answers = facts.get("field_data")
    if not isinstance(answers, list):
        raise NoLead("no_answers", "field_data")
    return PlatformLead(
        id=text_id(facts.get("id")),
        record=facts,
        test=any(_is_made_up(answer) for answer in answers),
        sent_at=_instant(facts.get("created_time")),
        platform_ids=meta_tokens(facts),
    )


def meta_tokens(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Of an answer or of a notice, which calls an ad set an ad group."""
    return _tokens(
        "meta",
        {"adset_id": facts.get("adgroup_id"), **facts},
        campaign="campaign_id",
        adset="adset_id",
        ad="ad_id",
        form="form_id",
        page="page_id",
    )


def tiktok_leads(record: Any) -> list[PlatformLead]:
    """Every entry of a delivery, or the one that `record` itself is. Raises NoLead."""
    facts = _object(record)
    entries = facts.get("entry", [facts] if "changes" in facts else None)
    if not isinstance(entries, list) or not entries:
        raise NoLead("no_entry", "entry")
    if len(entries) > MOST_ENTRIES:
        raise NoLead("too_many_leads", "entry")
    return [_tiktok_lead(entry, number) for number, entry in enumerate(entries)]


def _tiktok_lead(entry: Any, number: int) -> PlatformLead:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("changes"), list):
        raise NoLead("no_answers", f"entry.{number}.changes")
    return PlatformLead(
        id=text_id(entry.get("lead_id")) or text_id(entry.get("id")),
        record=entry,
        sent_at=_instant(entry.get("create_time")),
        platform_ids=_tokens(
            "tiktok",
            entry,
            campaign="campaign_id",
            adgroup="adgroup_id",
            ad="ad_id",
            page="page_id",
        ),
    )


def linkedin_lead(record: Any) -> PlatformLead:
    """What the Lead Sync API says of a response; each answer gets the name of its question, which
    LinkedIn tells beside the answers. Raises NoLead."""
    facts = _object(record)
    if "leadAction" in facts:
        raise NoLead("announcement", "leadAction")
    response = facts.get("formResponse")
    if not isinstance(response, Mapping) or not isinstance(response.get("answers"), list):
        raise NoLead("no_answers", "formResponse.answers")
    answers = response["answers"]
    questions = _questions(facts)
    named = {
        _question_name(answer, questions): _answer_text(answer, questions)
        for answer in answers
        if isinstance(answer, Mapping)
    }
    form = facts.get("form")
    told = {key: value for key, value in facts.items() if key != "form"}
    hidden = form.get("hiddenFields") if isinstance(form, Mapping) else None
    sponsored = _within(facts, "leadMetadata", "sponsoredLeadMetadata")
    return PlatformLead(
        id=text_id(facts.get("id")),
        record={
            **told,
            "formResponse": {**response, "answers": named},
            **({"hidden": hidden} if hidden else {}),
        },
        test=facts.get("testLead") is True,
        sent_at=_instant(facts.get("submittedAt")),
        platform_ids=_tokens(
            "linkedin",
            {
                "campaign": last_of_urn(sponsored.get("campaign")),
                "creative": last_of_urn(
                    _within(facts, "associatedEntity").get("associatedCreative")
                ),
                "form": last_of_urn(facts.get("versionedLeadGenFormUrn")),
            },
            campaign="campaign",
            creative="creative",
            form="form",
        ),
    )


def last_of_urn(urn: Any) -> str:
    """The id in `urn:li:leadGenFormResponse:1`; of a versioned form, the form's own; else ""."""
    text = text_id(urn)
    if text.endswith(")"):
        text = text.rpartition("(")[2].rpartition(",")[0]
    return text.rpartition(":")[2]


def _questions(facts: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    questions = _within(facts, "form", "content").get("questions")
    return {
        text_id(question.get("questionId")): question
        for question in (questions if isinstance(questions, list) else ())
        if isinstance(question, Mapping)
    }


def _question_name(answer: Mapping[str, Any], questions: Mapping[str, Mapping[str, Any]]) -> str:
    number = text_id(answer.get("questionId"))
    question = questions.get(number, {})
    names = (question.get("predefinedField"), question.get("name"), answer.get("name"))
    return next((name for name in names if isinstance(name, str) and name), number or "answer")


def _answer_text(answer: Mapping[str, Any], questions: Mapping[str, Mapping[str, Any]]) -> Any:
    details = answer.get("answerDetails")
    details = details if isinstance(details, Mapping) else {}
    written = _within(details, "textQuestionAnswer").get("answer")
    if written is not None:
        return written
    chosen = _within(details, "multipleChoiceAnswer").get("options")
    if not isinstance(chosen, list):
        return details
    question = questions.get(text_id(answer.get("questionId")), {})
    words = _option_words(question)
    return [words.get(text_id(option), text_id(option)) for option in chosen]


def _option_words(question: Mapping[str, Any]) -> dict[str, str]:
    """What the person read beside each option, in the form's language."""
    options = _within(question, "questionDetails", "multipleChoiceQuestionDetails").get("options")
    found = {}
    for option in options if isinstance(options, list) else ():
        if isinstance(option, Mapping):
            localized = _within(option, "text", "localized")
            words = next((text for text in localized.values() if isinstance(text, str)), "")
            found[text_id(option.get("id"))] = words or text_id(option.get("id"))
    return found


def _within(facts: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    found: Any = facts
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _object(record: Any) -> Mapping[str, Any]:
    if not isinstance(record, Mapping):
        raise NoLead("no_object")
    return record


def _named(facts: Mapping[str, Any], field: str) -> str:
    found = text_id(facts.get(field))
    if not found:
        raise NoLead("no_lead_id", field)
    return found


def _tokens(platform: str, facts: Mapping[str, Any], **fields: str) -> tuple[str, ...]:
    found = [(what, text_id(facts.get(field))) for what, field in fields.items()]
    return tuple(f"{platform}:{what}:{given}" for what, given in found if given.strip("0"))


def _instant(value: Any) -> str:
    if isinstance(value, str):
        if value.isdecimal() and len(value) <= 16:
            value = int(value)
        else:
            stated = written_instant(value)
            return stated.isoformat() if stated else ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        counted = epoch_instant(value) if abs(value) < 1e16 else None
        return counted.isoformat() if counted else ""
    return ""


def _is_made_up(answer: Any) -> bool:
    values = answer.get("values") if isinstance(answer, Mapping) else None
    if not isinstance(values, list):
        return False
    return any(isinstance(value, str) and value.startswith(_META_TEST) for value in values)
