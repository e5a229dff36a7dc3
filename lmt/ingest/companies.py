"""Is this a company rather than a person? Told by its legal form, wherever a form put it."""

from __future__ import annotations

import re

# Legal forms that are nobody's name, without their full stops.
_FORMS_WORDS = (
    "gmbh mbh ohg gbr kgaa sarl sàrl eurl sasu srl srls slu ltd limited llc llp inc"
    " incorporated corp corporation plc fze fzco fzc fz-llc fzllc dmcc difc wll ksc kscc pjsc"
    " qsc kft doo sro aps oyj vof zoo şti şirketi spzoo شمم ذمم شذمم شمك شمب شمكم شموم"
)
_FORMS = frozenset(_FORMS_WORDS.split())
# Those that are initials or words too: with their full stops, or in capitals; and only at the end.
_SHORT_FORMS_WORDS = (
    "ag kg se ug sa sas sl bv nv ab as aş sc snc ev ek eu spa spj spk spp sca ska oy est tic"
)
_SHORT_FORMS = frozenset(_SHORT_FORMS_WORDS.split())
_PHRASES = (
    " sp z oo ", " sp z o o ", " spz oo ", " spz o o ", " spółka z oo ", " spółka z o o ",
    " & co ", " co kg ", " co ltd ", " ş m ", " san ve ", " ve tic ", " fz llc ",
    " ش م م ", " ذ م م ", " ش ذ م م ", " ش م ك ",
)  # fmt: skip
_LEADING = (
    "firma autohaus ets établissements société sté phu pphu fhu groupe grupo شركة شركه مؤسسة"
    " مؤسسه مجموعة"
)
_FIRST_WORDS = frozenset(_LEADING.split())
_MARK = re.compile(r"[,;|/(]|\s[-\u2013\u2014]\s|attn|z\. ?h|t\.a\.v|do rąk", re.I)
_CARE_OF = re.compile(
    r"(?:^|[\s,;(]+)(?:c\s?/\s?o|attn\.?:?|att\.?:|z\. ?hd\.|z\. ?h\.|t\.a\.v\.|do rąk)\s+", re.I
)
_APART = re.compile(r"\s*[,;|]\s+|\s+[-\u2013\u2014/|]\s*|\s*[/|]\s+|\s*\(([^()]+)\)\s*$")
_PERSON = re.compile(r"[^\W\d_][^\d@&]*")


def is_company(text: str) -> bool:
    """Whether the text states a legal form: `Acme GmbH`, `Nowak Sp. z o.o.`, `شركة النور`."""
    words = text.split()
    if len(words) < 2:
        return False
    plain = [word.replace(".", "").strip(",;()\"'").casefold() for word in words]
    if plain[0] in _FIRST_WORDS or not _FORMS.isdisjoint(plain[1:]):
        return True
    last = words[-1]
    if plain[-1] in _SHORT_FORMS and (
        "." in last[:-1] or (last.isupper() and not text.isupper() and len(last) > 1)
    ):
        return True
    if len(words) < 3:
        return False
    joined = f" {' '.join(plain)} "
    return any(phrase in joined for phrase in _PHRASES)


def company_and_person(text: str) -> tuple[str, str]:
    """A name field taken apart: the company in it and the person; either may be "".

    Without a company the text is the person, less what follows a "c/o".
    """
    if _MARK.search(text):
        if match := _CARE_OF.search(text):
            before, after = text[: match.start()].strip(" ,;("), text[match.end() :].strip(" ,;)")
            if is_company(before):
                return before, after
            if is_company(after):
                return after, before
            return "", before or after
        if match := _APART.search(text):
            before = text[: match.start()].strip()
            after = (match[1] or text[match.end() :]).strip()
            for company, person in ((before, after), (after, before)):
                if is_company(company) and not is_company(person) and _is_person(person):
                    return company, person
    return (text, "") if is_company(text) else ("", text)


def _is_person(text: str) -> bool:
    return 2 <= len(text.split()) <= 5 and _PERSON.fullmatch(text) is not None
