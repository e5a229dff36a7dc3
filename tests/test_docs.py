"""The documents say what the code does: variables, codes, figures, commands and links."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from lmt.accounts.roles import PERMISSIONS, ROLES
from lmt.cli import main
from lmt.dealerquality import quality
from lmt.embed.suspicion import REASONS
from lmt.forms.definition import FormDefinition
from lmt.forms.fields import FIELD_TYPES
from lmt.forms.findings import Finding, findings
from lmt.forms.findingwords import finding_words
from lmt.health import REGISTRY
from lmt.i18n import reading
from lmt.labels import LABELS
from lmt.notify.mails import KINDS
from lmt.notify.taps import DAYS
from lmt.notify.words import IN_SUBJECTS, PARTS, VARIABLES
from lmt.placeholders import problems
from lmt.replies import REPLY_VARIABLES
from lmt.reports.figures import FIGURES
from lmt.routing.decision import CAUSES, HOWS, LOSSES, REFUSALS
from lmt.routing.policy import Policy
from lmt.slotterms import LIMITS, USUAL

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
ENVIRONMENTS = {"env", "environ"}


def table(page: str, heading: str = "") -> list[list[str]]:
    """Rows of the tables of a page, below a heading where one is given, without backquotes."""
    text = (DOCS / page).read_text(encoding="utf-8")
    if heading:
        text = re.split(r"(?m)^#+ ", text.split(f"# {heading}\n", 1)[1], maxsplit=1)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0].startswith("`")]


def first_cells(page: str, heading: str = "") -> list[str]:
    return [row[0].strip("`") for row in table(page, heading)]


def variables_read() -> set[str]:
    """Names that the package asks the environment for."""
    found = set()
    for path in (ROOT / "lmt").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found |= set(_asked_for(node))
    return found


def _asked_for(node: ast.AST) -> Iterator[str]:
    """`env.get("X")`, `os.environ["X"]`, `os.getenv("X")`, and `_whole(env, "X", …)`."""
    if isinstance(node, ast.Subscript) and _is_environment(node.value):
        yield from _text(node.slice)
    if not isinstance(node, ast.Call) or not node.args:
        return
    asked = node.func
    if isinstance(asked, ast.Attribute) and (
        (asked.attr in {"get", "setdefault", "pop"} and _is_environment(asked.value))
        or asked.attr == "getenv"
    ):
        yield from _text(node.args[0])
    if len(node.args) > 1 and _is_environment(node.args[0]):
        yield from _text(node.args[1])


def _is_environment(node: ast.AST) -> bool:
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    return name in ENVIRONMENTS


def _text(node: ast.AST) -> Iterator[str]:
    # A name with a point in it is of a request's environment, not of the process's.
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." not in node.value:
        yield node.value


def test_every_variable_that_is_read_is_documented_and_no_other() -> None:
    documented = first_cells("configuration.md")
    assert len(documented) == len(set(documented))
    assert set(documented) == variables_read()


@pytest.mark.parametrize(
    ("heading", "codes"),
    [("Refusals", set(REFUSALS)), ("Causes", {*CAUSES, "no_contact"})],
)
def test_every_code_of_a_decision_is_explained(heading: str, codes: set[str]) -> None:
    documented = first_cells("routing.md", heading)
    assert len(documented) == len(set(documented))
    assert set(documented) == codes


def test_how_a_dealer_was_chosen_and_why_others_lost_is_explained() -> None:
    text = (DOCS / "routing.md").read_text(encoding="utf-8")
    codes = text.split("## Codes\n")[1].split("###")[0]
    assert set(re.findall(r"`([a-z_]+)`", codes)) == {*HOWS, *LOSSES}


def test_every_policy_setting_is_documented_with_its_default() -> None:
    rows = {row[0].strip("`"): row[1] for row in table("routing.md", "The policy")}
    policy = Policy()
    assert set(rows) == set(Policy.__dataclass_fields__) - {"version"}
    for name, said in rows.items():
        value = getattr(policy, name)
        if isinstance(value, bool):
            assert said == str(value).lower()
        elif name == "escalation":
            assert said == "usual"
            assert policy.steps_are_usual
        elif isinstance(value, str) and value:
            assert said == value, name
        elif name == "team_for":
            assert said == ", ".join(value)
        elif not value and not isinstance(value, float):
            assert said == "none", name
        else:
            numbers = value.values() if isinstance(value, dict) else value
            several = numbers if not isinstance(numbers, int | float) else [numbers]
            assert re.findall(r"\d+", said) == [f"{number:g}" for number in several], name


def test_every_figure_is_documented_with_the_formula_of_its_page() -> None:
    with reading("en"):
        shown = [[f"`{f.code}`", str(f.name), str(f.formula)] for f in FIGURES]
    assert [row[:3] for row in table("reports.md", "Figures")] == shown


def test_every_metric_is_documented() -> None:
    exposed = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in REGISTRY.collect()
    }
    documented = {name for name in first_cells("operating.md", "Health") if name[0] != "/"}
    assert documented == exposed


def test_the_definition_that_is_shown_is_a_form_without_findings() -> None:
    text = (DOCS / "forms.md").read_text(encoding="utf-8")
    shown = json.loads(text.split("```json\n")[1].split("```")[0])
    definition = FormDefinition.from_json(shown)
    assert findings(definition) == ()
    assert FormDefinition.from_json(definition.to_json()) == definition


def test_every_type_of_field_is_documented() -> None:
    assert first_cells("forms.md", "Fields") == list(FIELD_TYPES)


def test_every_reason_for_suspicion_is_documented() -> None:
    assert codes_named("What looks like a machine's") == list(REASONS)


def test_every_finding_that_is_documented_can_be_told() -> None:
    facts = {"count": 2, "language": "pl", "token": "text", "suggested": "#064f8c"}
    numbers = {"ratio": 2.5, "least": 4.5, "most": 150}
    for code in codes_named("Findings"):
        assert finding_words(Finding(code, "error", "form", facts | numbers), "Model")


def codes_named(heading: str) -> list[str]:
    """The codes in the first cells of a table of the page about forms."""
    return [code for row in table("forms.md", heading) for code in re.findall(r"\w+", row[0])]


def test_every_mail_is_told_of_once() -> None:
    assert sorted(first_cells("mails.md", "Kinds")) == sorted(KINDS)


def test_what_a_market_may_write_in_a_mail_is_documented() -> None:
    with reading("en"):
        assert table("mails.md", "Parts") == in_words(PARTS)
        assert table("mails.md", "Variables") == in_words(VARIABLES)
    named = re.search(r"In a subject only these: ([^.]+)\.", (DOCS / "mails.md").read_text())
    assert named
    assert set(re.findall(r"`(\w+)`", named[1])) == IN_SUBJECTS


def test_the_placeholders_that_are_shown_can_be_used() -> None:
    shown = (DOCS / "mails.md").read_text(encoding="utf-8").split("```\n")[1]
    assert problems(shown, VARIABLES) == []


def test_the_variables_of_letters_are_documented() -> None:
    text = (DOCS / "mails.md").read_text(encoding="utf-8").split("### Reply templates\n")[1]
    assert re.findall(r"`(\w+)`", text) == list(REPLY_VARIABLES)


def test_links_of_mails_live_as_long_as_is_said() -> None:
    assert f"{DAYS} days" in (DOCS / "mails.md").read_text(encoding="utf-8")


def test_every_permission_is_documented_with_the_roles_that_have_it() -> None:
    with reading("en"):
        allowed = [
            [
                f"`{code}`",
                str(words),
                *("✓" * (code in role.permissions) for role in ROLES.values()),
            ]
            for code, words in PERMISSIONS.items()
        ]
    assert table("permissions.md", "Permissions and roles") == allowed


def test_the_columns_of_roles_are_in_the_order_of_the_roles() -> None:
    text = (DOCS / "permissions.md").read_text(encoding="utf-8")
    heads = text.split("| permission |")[1].splitlines()[0].strip(" |").split(" | ")
    assert [head.strip().replace(" ", "_") for head in heads] == list(ROLES)


def test_the_keys_of_the_desk_are_those_of_its_help() -> None:
    shown = (ROOT / "lmt/desk/templates/desk/_help.html").read_text(encoding="utf-8")
    documented = [row[0] for row in table("guides/dealer.md", "Keys")]
    assert re.findall(r"`([^`]+)`", " ".join(documented)) == re.findall(r"<kbd>(.+?)</kbd>", shown)


def test_every_verdict_is_documented() -> None:
    with reading("en"):
        assert table("followup.md", "Verdicts") == in_words(LABELS["verdict"])


def test_what_may_be_booked_is_documented_with_its_bounds() -> None:
    text = (DOCS / "followup.md").read_text(encoding="utf-8")
    rows = re.split(r"(?m)^#+ ", text.split("### Appointments\n")[1], maxsplit=1)[0]
    said = [
        [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", row)]
        for row in rows.splitlines()
        if row.startswith("|")
    ]
    assert said[2:] == [[USUAL[name], *bounds] for name, bounds in LIMITS.items()]


def test_the_figure_of_quality_is_what_its_formula_says() -> None:
    text = (DOCS / "followup.md").read_text(encoding="utf-8")
    one, many = re.findall(r"fresh \d gives? (0\.\d+)", text)
    assert float(one) == round(quality([(1, 0.0)]), 3)
    assert float(many) == round(quality([(5, 0.0)] * 10), 3)


def in_words(known: Mapping[str, object]) -> list[list[str]]:
    """Rows of a table: each code with what it is called."""
    return [[f"`{code}`", str(words)] for code, words in known.items()]


def commands(group: click.Group, before: str = "lmt") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before} {name}")
        else:
            yield f"{before} {name}"


def test_every_command_is_documented() -> None:
    documented = " ".join(first_cells("operating.md"))
    assert [command for command in commands(main) if command not in documented] == []


def test_no_command_is_documented_that_does_not_exist() -> None:
    words = {command.split()[1] for command in commands(main)}
    for page in PAGES:
        named = re.findall(r"(?m)(?:`|bin/|^|=\S+ )lmt ([a-z]+)", page.read_text(encoding="utf-8"))
        assert set(named) <= words, page


def anchors(page: Path) -> set[str]:
    """Headings as GitHub names them, and anchors of one's own."""
    text = page.read_text(encoding="utf-8")
    titles = re.findall(r"(?m)^#+ (.+)$", text)
    slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file, _separator, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


def test_the_index_lists_every_decision_once_and_each_is_short() -> None:
    listed = re.findall(r"\((\d{4}-[a-z-]+\.md)\)", (DOCS / "adr" / "README.md").read_text())
    pages = sorted(path.name for path in (DOCS / "adr").glob("0*.md"))
    assert sorted(set(listed)) == pages
    for page in pages:
        text = (DOCS / "adr" / page).read_text(encoding="utf-8")
        assert text.startswith(f"# {page[:4]} ")
        assert len(text.splitlines()) <= 40
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences"))
