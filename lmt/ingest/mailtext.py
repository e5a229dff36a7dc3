"""What a person wrote in a mail: HTML as lines of text, and where the history below it begins."""

from __future__ import annotations

import re

from lxml import etree

from lmt.ingest.characters import clean_text

MOST_ELEMENTS = 100_000
LONGEST_LABEL = 60
_BLOCK_NAMES = (
    "address article aside blockquote body center div dl dt fieldset footer form h1 h2 h3 h4 h5"
    " h6 header hr li main ol p pre section table tbody tfoot thead tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_HIDDEN = frozenset({"head", "script", "style", "template", "title"})
_CELLS = frozenset({"td", "th"})
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_QUOTED_HTML = re.compile(r"gmail_quote|yahoo_quoted|divRplyFwdMsg|moz-cite-prefix|appendonsend")
QUOTE_MARK = "-----Original Message-----"

_WROTE = r"wrote|schrieb|a écrit|escribió|napisał(?:a|\(a\))?|schreef|yazdı|كتب|ha scritto"
_QUOTE_BEGINS = re.compile(
    rf"^(?:(?=.{{0,300}}[\d@]).{{0,300}}\b(?:{_WROTE})\b[^:\n]{{0,120}}:\s*$"
    rf"|(?=.{{0,300}}[\d@]).{{0,300}}(?:{_WROTE})\s*:\s*$"
    r"|\s*-{2,}\s*(?:original message|originalnachricht|ursprüngliche nachricht|message d'origine"
    r"|mensaje original|oryginalna wiadomość|wiadomość oryginalna|oorspronkelijk bericht"
    r"|özgün ileti|orijinal mesaj|الرسالة الأصلية)\s*-{2,}\s*$|\s*_{20,}\s*$)",
    re.I,
)
_HEADER_LINE = re.compile(
    r"^[\s>*]*\*?(from|von|de|od|van|kimden|gönderen|من|sent|gesendet|envoyé|enviado|wysłano"
    r"|verzonden|gönderildi|تاريخ الإرسال|date|datum|fecha|data|tarih|التاريخ|to|an|à|a|para|do|aan"
    r"|kime|إلى|subject|betreff|objet|asunto|temat|onderwerp|konu|الموضوع|cc|kopie|dw|bilgi)"
    r"\s*\*?\s*:",
    re.I,
)
_FORWARDED = re.compile(
    r"-{2,}\s*(?:forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado"
    r"|wiadomość przekazana|treść przekazanej wiadomości|doorgestuurd bericht|iletilen mesaj"
    r"|رسالة معاد توجيهها)\s*-{2,}|^\s*begin forwarded message:",
    re.I | re.M,
)
_FORWARDED_SUBJECT = re.compile(r"^\s*(?:fwd?|wg|tr|rv|pd|doorst|ilt|i̇lt)\s*:", re.I)


def text_of_page(page: str) -> str:
    """The lines that a reader of this HTML sees. A row of two cells reads `label: value`; what is
    quoted stands behind `>`. Comments say nothing."""
    text = _NOT_XML.sub(" ", page)
    parser = etree.HTMLParser(
        remove_comments=True, remove_pis=True, huge_tree=False, encoding="utf-8"
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return ""
    return "" if root is None else clean_text(_Lines().of(root))


def fresh_part(text: str) -> str:
    """What was written now, without the history that mail programs put below it."""
    return parted(text)[0]


def parted(text: str) -> tuple[str, str]:
    """(what was written now, the mail that it answers with all below it); the second is "" where
    nothing is quoted. Lines behind `>` before the end are answers in between, and stay."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _begins_quote(lines, number, line):
            return _trimmed(lines[:number]), "\n".join(lines[number:]).strip()
    return _trimmed(lines), "\n".join(_tail(lines)).strip()


def is_forwarded(subject: str, text: str) -> bool:
    """Whether somebody passed a mail on: then what is below is what it is about."""
    return bool(_FORWARDED_SUBJECT.match(subject) or _FORWARDED.search(text[:20_000]))


def is_header_line(line: str) -> bool:
    """`From: …`, `Betreff: …`: how a mail program tells of a mail inside a mail."""
    return _HEADER_LINE.match(line) is not None


def _begins_quote(lines: list[str], number: int, line: str) -> bool:
    if len(line) > 400:
        return False
    if _QUOTE_BEGINS.match(line):
        return True
    # "Am 3. März 2026 um 10:00 schrieb Ada\n<ada@…>:" is broken over two lines.
    following = lines[number + 1] if number + 1 < len(lines) else ""
    joined = f"{line} {following}"
    if following.rstrip().endswith(":") and line.strip() and len(joined) < 400:
        opener = re.match(r"\s*(?:on|am|le|el|w dniu|op|il|في)\s", line, re.I)
        if opener and _QUOTE_BEGINS.match(joined):
            return True
    run = [_HEADER_LINE.match(each) for each in lines[number : number + 4]]
    names = {match[1].lower() for match in run if match}
    return run[0] is not None and len(names) >= 3


def _tail(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and (lines[end - 1].lstrip().startswith(">") or not lines[end - 1].strip()):
        end -= 1
    return lines[end:]


def _trimmed(lines: list[str]) -> str:
    return "\n".join(lines[: len(lines) - len(_tail(lines))]).strip()


class _Lines:
    """One page on its way to text: what stands open is a stack of buffers, a table's cells."""

    def __init__(self) -> None:
        self.buffers: list[list[str]] = [[]]
        self.rows: list[list[str]] = []
        self.hidden = 0
        self.quotes = 0

    def of(self, root: etree._Element) -> str:
        for number, (event, element) in enumerate(etree.iterwalk(root, events=("start", "end"))):
            if number > 2 * MOST_ELEMENTS:
                break
            name = element.tag if isinstance(element.tag, str) else ""
            if event == "start":
                self.begin(name, element)
            else:
                self.end(name, element)
        while len(self.buffers) > 1:
            self.write("\n" + "".join(self.buffers.pop()))
        return "".join(self.buffers[0])

    def begin(self, name: str, element: etree._Element) -> None:
        if name in _HIDDEN:
            self.hidden += 1
        if name == "tr":
            self.rows.append([])
        if name in _CELLS and self.rows:
            self.buffers.append([])
        elif name == "br" or name in _BLOCKS:
            self.write("\n")
        if name == "blockquote":
            self.quotes += 1
        marks = f"{element.get('class', '')} {element.get('id', '')}"
        if _QUOTED_HTML.search(marks):
            self.write(f"\n{QUOTE_MARK}\n")
        self.say(element.text)

    def end(self, name: str, element: etree._Element) -> None:
        if name in _CELLS and self.rows and len(self.buffers) > 1:
            self.rows[-1].append("".join(self.buffers.pop()))
        elif name == "tr" and self.rows:
            self.write("\n" + _row(self.rows.pop()) + "\n")
        elif name == "dt":
            self.write(": ")
        elif name in _BLOCKS:
            self.write("\n")
        if name == "blockquote":
            self.quotes -= 1
        if name in _HIDDEN:
            self.hidden -= 1
        self.say(element.tail)

    def say(self, text: str | None) -> None:
        if not text or self.hidden:
            return
        mark = "> " if self.quotes and self.buffers[-1][-1:] == ["\n"] else ""
        words = " ".join(text.split())
        if words:
            before = " " if text[:1].isspace() else ""
            after = " " if text[-1:].isspace() else ""
            self.write(f"{mark}{before}{words}{after}")
        elif self.buffers[-1] and not self.buffers[-1][-1].endswith((" ", "\n")):
            self.write(" ")

    def write(self, text: str) -> None:
        self.buffers[-1].append(text)


def _row(cells: list[str]) -> str:
    texts = [clean_text(cell) for cell in cells]
    said = [text for text in texts if text]
    if len(said) == 2 and len(texts[0]) <= LONGEST_LABEL and "\n" not in texts[0] and texts[0]:
        label = texts[0].rstrip(" :：")
        return f"{label}: {said[1]}" if ":" not in label else "\n".join(said)
    return "\n".join(said)
