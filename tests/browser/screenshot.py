"""The picture in README, docs/pages.png: the page of all feeds with invented articles. `make screenshot`."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service import free_port, running
from support import ROOT, write_article

from browser.pictures import hanging
from browser.window import Window, browsing

# Every name is made up. How many articles each topic has, about evenly over the last weeks.
_TOPICS = {"Birds": 9, "Bridges": 14, "Harbours": 31, "Maps": 6, "Night trains": 22, "Weather": 47}
_PROVIDERS = ("Coastal Almanac", "Lighthouse Weekly", "The Slow Traveller")
_CONFIGURATION = """\
site:
  title: Harbour Reading Room
  description: What is new along the coast, for your feed reader
"""


def write_articles(directory: Path) -> None:
    """A month of them, the busy days being the same each time."""
    newest = datetime.now(UTC) - timedelta(hours=2)
    for number, (topic, count) in enumerate(_TOPICS.items()):
        for place in range(count):
            hours = 31 * number + place * 29 * 24 / count + (place * place * (number + 3)) % 41
            age = timedelta(hours=hours % (29 * 24))
            write_article(
                directory,
                f"{number}-{place}.md",
                title=f"{topic}, number {place + 1}",
                webUrl=f"https://demonstration.example/{number}/{place}",
                publishedDateTime=(newest - age).isoformat(),
                topics=json.dumps([topic]),
                provider=json.dumps({"name": _PROVIDERS[place % 3], "domain": f"d{place % 3}.example"}),
            )


def main() -> None:
    """Serve them, look, and keep what is seen."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_articles(directory / "articles")
        configuration = directory / "feedsvc.yaml"
        configuration.write_text(_CONFIGURATION, "utf-8")
        port = free_port()
        with (
            running(directory, directory / "articles", "--config", str(configuration), port=port) as service,
            hanging() as pictures,
            browsing(port, pictures.server_port) as browser,
        ):
            window = Window(browser, service.base_url, viewport={"width": 1000, "height": 872}, timezone_id="UTC")
            window.open("/").screenshot(path=ROOT / "docs/pages.png")
            window.close()


if __name__ == "__main__":
    main()
