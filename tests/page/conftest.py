"""A browser, and the pages that `make page` has written."""

import os
import re
import shutil
import unicodedata
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

PAGES = Path(__file__).parents[2] / ".local/pages"
PHONE = {"width": 390, "height": 844}
SMALLEST = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 900}


def leave_out(reason):
    """Leaves tests out and says so; continuous integration leaves nothing out."""
    (pytest.fail if os.environ.get("LEAVE_NOTHING_OUT") else pytest.skip)(f"left out: {reason}")


def program():
    """The distribution's Chromium, if there is one."""
    return shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def chromium():
    """A browser without a window."""
    if not program():
        leave_out("the page's tests need Chromium (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=["--host-resolver-rules=MAP * ~NOTFOUND"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Opens a page as a file, in a profile of its own, and keeps what it asks for and what the browser says of it."""
    contexts = []

    def visit(name, viewport=DESKTOP, **settings):
        contexts.append(chromium.new_context(viewport=viewport, **settings))
        page = contexts[-1].new_page()
        page.said = []
        page.on("request", lambda request: page.said.append(f"request: {request.url}"))
        page.on("console", lambda message: page.said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: page.said.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (page.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto((PAGES / name).as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()


def open_all(page):
    """Opens every section that is collapsed."""
    for summary in page.locator("details > summary").all():
        summary.click()
    assert page.locator("details:not([open])").count() == 0


def plain(text):
    """A text without spaces, since a printed one has other line breaks, and without ligatures."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
