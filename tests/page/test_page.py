"""The page of `promote status --output html` in a browser."""

import io
import re

import pypdf
import pytest
from axe_playwright_python.sync_playwright import Axe

from conftest import DESKTOP, PAGES, PHONE, SMALLEST, open_all, plain

WHOLE = ("team.html", "hostile.html", "target.html", "long.html")


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("viewport", (DESKTOP, PHONE), ids=("desktop", "phone"))
@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_axe_finds_no_violation_with_everything_open(visit, scheme, viewport, name):
    page = visit(name, viewport, color_scheme=scheme)
    open_all(page)
    found = Axe().run(page, options={"resultTypes": ["violations", "incomplete"]})
    assert found.violations_count == 0, found.generate_report()
    # What axe cannot decide is not passed.
    assert [one["id"] for one in found.response["incomplete"]] == []


def test_axe_finds_no_violation_on_the_page_of_200_groups(visit):
    page = visit("many.html", PHONE)
    assert page.locator("section[id^=g]").count() == 200
    page.evaluate("document.querySelectorAll('details').forEach(section => section.open = true)")
    found = Axe().run(page, options={"resultTypes": ["violations", "incomplete"]})
    assert found.violations_count == 0, found.generate_report()
    assert [one["id"] for one in found.response["incomplete"]] == []


def test_a_version_shows_signature_record_approver_image_and_artifacts(visit):
    page = visit("team.html")
    section = page.locator("section", has=page.locator("h2", has_text="fraud-transfers"))
    version = section.locator("details").first
    version.locator("summary").first.click()
    names, values = (version.locator(tag).all_inner_texts() for tag in ("dt", "dd"))
    facts = dict(zip(names, values, strict=True))
    key = r"arn:aws:kms:eu-central-1:111222333444:key/[0-9a-f-]{36}"
    folder = "s3://serving/fraud-transfers/444333666777-eu-central-1-fraud-transfers-v2/"
    assert re.fullmatch(f"present, not checked here; names the key {key}", facts["Signature"])
    assert facts["Record"] == f"{folder}promotion.json"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC by arn:aws:\S+", facts["Recorded"]), facts["Recorded"]
    assert facts["Decided by"] == "the source: its approval is carried over"
    reviewer = "arn:aws:sagemaker:eu-central-1:444333666777:user-profile/d-review/a-novak"
    approver = rf"{reviewer}, who made the last change before the promotion, \d{{4}}-\d\d-\d\d \d\d:\d\d UTC"
    assert re.fullmatch(approver, facts["Approver at the source"])
    assert facts["Approval at the source"] == "Review MR-402: AUC 0.92, no regression"
    assert facts["Source version"].endswith(":444333666777:model-package/fraud-transfers/2")
    assert re.search(r"111222333444\.dkr\.ecr\.eu-central-1\.amazonaws\.com/\S+@sha256:[0-9a-f]{64}", facts["Image"])
    rows = [row.locator("td").all_inner_texts() for row in version.locator("table.o tbody tr").all()]
    source = "s3://models/fraud-transfers/training-002/"
    assert [row[0] for row in rows] == [f"{source}evaluation/quality.json", f"{source}output/model.tar.gz"]
    assert [row[2] for row in rows] == ["etag", "etag"]
    assert all(box["height"] > 0 for box in (one.bounding_box() for one in version.locator("dd, td").all()))


def rows_of_the_table(page):
    """The cells of the table of all groups that are not empty, by the name of the group and by column."""
    columns = page.locator("table.s th").all_text_contents()
    rows = [row.locator("td").all_inner_texts() for row in page.locator("table.s tbody tr").all()]
    return {row[0]: {column: cell for column, cell in zip(columns[1:], row[1:], strict=True) if cell} for row in rows}


def test_the_table_has_the_state_of_each_group_in_its_column(visit):
    rows = rows_of_the_table(visit("team.html"))
    assert len(rows) == 8
    assert rows["churn"] | {"State": "promoted", "Promoted": "2", "Withdrawn": "1"} == rows["churn"]
    assert rows["credit-scoring"] | {"State": "not promoted", "Not promoted for": "3 days"} == rows["credit-scoring"]
    assert rows["demand-forecast"] | {"State": "pending approval", "Pending": "1"} == rows["demand-forecast"]
    assert rows["fraud-cards"] | {"State": "held, not promoted", "Live": "1", "Drift": "1"} == rows["fraud-cards"]
    assert rows["support-triage"] == {"State": "not read"}


def test_a_phone_names_the_column_of_each_cell(visit):
    page = visit("team.html", PHONE)
    columns = page.locator("table.s th").all_text_contents()
    label = "cell => getComputedStyle(cell, '::before').content"
    for row in page.locator("table.s tbody tr").all():
        cells = row.locator("td").all()[1:]
        assert [cell.evaluate(label) for cell in cells] == [f'"{column}"' for column in columns[1:]]


def test_the_dark_theme_is_dark_and_the_light_one_is_light(visit):
    background = "getComputedStyle(document.body).backgroundColor"
    light, dark = (visit("team.html", color_scheme=scheme).evaluate(background) for scheme in ("light", "dark"))
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(18, 22, 27)")


@pytest.mark.parametrize("name", (*WHOLE, "many.html"))
@pytest.mark.parametrize("viewport", (PHONE, SMALLEST), ids=("390", "320"))
def test_a_phone_needs_no_scrolling_to_the_side(visit, viewport, name):
    page = visit(name, viewport)
    page.evaluate("document.querySelectorAll('details').forEach(section => section.open = true)")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= viewport["width"]
    cut = page.evaluate(
        "[...document.querySelectorAll('main *')].filter(one => one.scrollWidth > one.clientWidth + 1"
        " && !['inline', 'none'].includes(getComputedStyle(one).display) && !one.closest('thead'))"
        ".map(one => one.outerHTML.slice(0, 200))"
    )
    assert cut == []


@pytest.mark.parametrize("name", WHOLE)
def test_without_javascript_everything_is_shown_and_opens(visit, name):
    with_script, without = visit(name), visit(name, java_script_enabled=False)
    open_all(with_script)
    open_all(without)
    assert without.inner_text("body") == with_script.inner_text("body")
    assert len(without.inner_text("main")) > 500


@pytest.mark.parametrize("name", (*WHOLE, "many.html"))
def test_the_page_asks_for_itself_only_and_the_browser_has_nothing_to_say(visit, name):
    page = visit(name)
    page.evaluate("document.querySelectorAll('details').forEach(section => section.open = true)")
    page.mouse.move(600, 400)
    page.wait_for_load_state("networkidle")
    assert page.said == [f"request: {(PAGES / name).as_uri()}"]


def test_hostile_metadata_makes_no_element(visit):
    page = visit("hostile.html")
    assert page.locator("script, img, svg, iframe, link, base, form, object, embed").count() == 0
    attributes = page.evaluate(
        "[...new Set([...document.querySelectorAll('body *')].flatMap(one => one.getAttributeNames()))]"
    )
    assert set(attributes) <= {"class", "id", "href", "scope"}
    links = page.evaluate("[...document.querySelectorAll('a')].map(link => link.getAttribute('href'))")
    assert all(link.startswith("#g") for link in links)


def test_even_what_was_slipped_into_the_page_neither_runs_nor_loads(visit):
    page, loaded = visit("hostile.html"), []
    page.on("requestfinished", lambda request: loaded.append(request.url))
    blocked = page.evaluate(
        """async () => {
            const blocked = [], elements = {
                script: {textContent: "alert(1)"},
                img: {src: "https://example.com/image"},
                style: {textContent: "body { color: red }"},
                base: {href: "https://example.com/"},
            };
            const all = new Promise(done => addEventListener("securitypolicyviolation", event =>
                blocked.push(event.effectiveDirective) == Object.keys(elements).length && done()));
            for (const name in elements) {
                document.head.append(Object.assign(document.createElement(name), elements[name]));
            }
            await all;
            return blocked.sort();
        }"""
    )
    assert blocked == ["base-uri", "img-src", "script-src-elem", "style-src-elem"]
    assert loaded == [] and not [said for said in page.said if said.startswith("dialog: ")]


@pytest.mark.parametrize("name", WHOLE)
def test_print_shows_what_is_collapsed_and_cuts_no_text(visit, name):
    page = visit(name)
    texts = page.evaluate("[...document.querySelectorAll('h1, h2, h3, dt, dd, td, p')].map(one => one.textContent)")
    document = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4")))
    printed = plain("".join(sheet.extract_text() for sheet in document.pages))
    assert [text for text in texts if plain(text) not in printed] == []


def test_the_keyboard_opens_a_version(visit):
    page = visit("team.html")
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None
