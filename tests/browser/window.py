"""A browser window on the service's pages, in which everything that goes wrong is noted."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from needs import need
from playwright.sync_api import sync_playwright
from service import wait_for

from browser.pictures import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page, Request

# A name that is no secure context, where browsers keep the clipboard to themselves: the service's port, too.
INSECURE = "feeds.example"
_NOTE_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => {
  violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""


@contextmanager
def browsing(service_port: int, pictures_port: int) -> Iterator[Browser]:
    """Chromium, for which no host exists but the service and the one that has the pictures."""
    path = need("chromium", "chromium")
    names = f"MAP {INSECURE} 127.0.0.1:{service_port}, MAP {HOST} 127.0.0.1:{pictures_port}"
    flags = [f"--host-resolver-rules={names}, MAP * ~NOTFOUND, EXCLUDE localhost", "--no-proxy-server"]
    with sync_playwright() as playwright:
        # In a container, root cannot have the sandbox, and what is shown is our own.
        browser = playwright.chromium.launch(executable_path=path, args=flags, chromium_sandbox=False)
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """A window of one person, on one page after another."""

    def __init__(self, browser: Browser, base_url: str, **options: Any) -> None:
        self._context = browser.new_context(base_url=base_url, **{"locale": "en-GB", **options})
        self._context.set_default_timeout(10_000)
        # Without scripts no picture waits for the reader to come near.
        self._scripts = options.get("java_script_enabled", True)
        self._hosts = {urlsplit(base_url).netloc, INSECURE}
        self.page: Page = self._context.new_page()
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        self.page.add_init_script(_NOTE_VIOLATIONS)
        self.page.on("request", lambda request: self.requests.append(request))  # noqa: PLW0108  # it marks what it is given
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        """Any word of a page's is one too many, but that a picture could not be had."""
        failed = message.text.startswith("Failed to load resource") and message.location["url"] in self.pictures
        if not failed:
            self.complaints.append(f"console: {message.type}: {message.text}")

    def open(self, path: str) -> Page:
        """Go there."""
        answer = self.page.goto(path)
        assert answer, path
        assert answer.status == 200, path
        return self.page

    def open_topic(self, name: str) -> Page:
        """Go to the page of a topic or provider by the link on the index."""
        self.open("/")
        self.page.locator("a.name").get_by_text(name, exact=True).click()
        self.page.wait_for_load_state()
        return self.page

    def scroll_through(self) -> None:
        """To the end, as fast as one reads the headings, so that every picture is asked for and answered."""
        if self._scripts:
            self.page.evaluate(
                """async () => {
                  for (let y = 0; y < document.documentElement.scrollHeight; y += 700) {
                    scrollTo(0, y);
                    await new Promise(requestAnimationFrame);
                  }
                }"""
            )
        pending = "[...document.images].filter((image) => !image.complete && image.checkVisibility()).length"
        wait_for(lambda: bool(self.page.evaluate(pending) == 0), "the pictures")

    @property
    def pictures(self) -> list[str]:
        """The pictures that it asked for."""
        return [str(request.url) for request in self.requests if request.resource_type == "image"]

    @property
    def strangers(self) -> list[str]:
        """What it asked others than the service for, and what is no picture."""
        return [
            f"{request.resource_type} {request.url}"
            for request in self.requests
            if request.resource_type != "image" and urlsplit(request.url).netloc not in self._hosts
        ]

    def violations(self) -> list[str]:
        """What the policy had to forbid."""
        return [str(violation) for violation in self.page.evaluate("window.violations ?? []")]

    def close(self) -> None:
        """Close it, after which nothing may have gone wrong."""
        violations = self.violations()
        self._context.close()
        assert (self.complaints, self.strangers, violations) == ([], [], [])


def style(element: Locator, name: str) -> str:
    """A property as the browser computed it."""
    return str(element.evaluate("(element, name) => getComputedStyle(element).getPropertyValue(name)", name))
