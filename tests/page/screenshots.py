"""Takes the pictures of the page that the documentation shows, from the page of a team that a test has written."""

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from conftest import DESKTOP, PAGES, PHONE, program

PICTURES = Path(__file__).parents[2] / "docs/page"
# GitHub shows a picture at most 840 pixels wide.
SCALE = 1.5


def take(browser, name, viewport, scheme, group=None):
    """Takes the top of the page, or of the group whose newest promoted version is open."""
    context = browser.new_context(viewport=viewport, color_scheme=scheme, device_scale_factor=SCALE)
    page = context.new_page()
    page.goto((PAGES / "team.html").as_uri())
    if group:
        section = page.locator("section", has=page.locator("h2", has_text=group))
        section.locator("details").first.evaluate("version => version.open = true")
        section.evaluate("section => section.scrollIntoView()")
    keep(name, page.screenshot())
    context.close()


def keep(name, picture):
    """Writes a picture in 256 colours, which takes a third of its size and keeps the colours of the words."""
    picture = Image.open(io.BytesIO(picture)).convert("RGB")
    picture = picture.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    picture.save(PICTURES / name, optimize=True)
    print(f"{PICTURES / name}: {(PICTURES / name).stat().st_size} bytes")


def main():
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program())
        take(browser, "light.png", DESKTOP, "light")
        take(browser, "dark.png", DESKTOP, "dark")
        take(browser, "version.png", DESKTOP, "light", group="fraud-transfers")
        take(browser, "phone.png", PHONE, "light")
        browser.close()


if __name__ == "__main__":
    main()
