"""The reader rss2email: it takes Atom and RSS, and no JSON Feed. Its mails go to a Maildir, and nowhere else."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest
from needs import need

from readers.corpus import FEEDS, XML_ENDINGS, Story
from readers.home import Home

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

    from readers.recorder import Recorder

CONFIGURATION = """\
[DEFAULT]
from = rss2email@localhost
to = reader@localhost
email-protocol = maildir
maildir-path = {maildir}
date-header = True
date-header-order = issued
"""


@pytest.fixture
def rss2email(tmp_path: Path) -> Home:
    """The home of somebody who has rss2email put articles into a Maildir."""
    need("r2e", package="rss2email")
    home = Home(tmp_path)
    home.write(".config/rss2email.cfg", CONFIGURATION.format(maildir=tmp_path / "Mail"))
    (tmp_path / "Mail").mkdir()
    (tmp_path / ".local/share").mkdir(parents=True)
    return home


def poll(rss2email: Home) -> None:
    """Have all feeds polled; no feed may be complained of."""
    log = rss2email.run("r2e", "run").stderr
    assert not re.search(r"\[(WARNING|ERROR|CRITICAL)\]", log), log


def mails(rss2email: Home) -> list[EmailMessage]:
    """All mails that it sent."""
    files = (rss2email.path / "Mail/INBOX/new").iterdir()
    return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]


def story(mail: EmailMessage) -> Story:
    """What a mail tells: its subject, the link at the end of its body, its date."""
    link = re.search(r"^URL: (.*)$", mail.get_content(), re.MULTILINE)
    assert link, mail
    assert mail["X-RSS-URL"] == link[1]
    # It writes UTC as -0000, which Python reads as no zone.
    return Story(mail["Subject"], link[1], parsedate_to_datetime(mail["Date"]).replace(tzinfo=UTC))


@pytest.mark.parametrize("ending", XML_ENDINGS)
@pytest.mark.parametrize("path", FEEDS)
def test_rss2email_mails_the_articles(path: str, ending: str, rss2email: Home, recorder: Recorder) -> None:
    """From rss2email comes one mail for each published article of a feed, with its title, link and date."""
    rss2email.run("r2e", "add", "feed", f"{recorder.base_url}{path}{ending}")
    poll(rss2email)
    stories = [story(mail) for mail in mails(rss2email)]
    assert set(stories) == FEEDS[path]
    assert len(stories) == len(FEEDS[path])


@pytest.mark.parametrize("ending", XML_ENDINGS)
def test_rss2email_asks_for_news_only(ending: str, rss2email: Home, recorder: Recorder) -> None:
    """The second poll of rss2email is answered 304, and no mail comes twice."""
    rss2email.run("r2e", "add", "feed", f"{recorder.base_url}/feeds/all{ending}")
    poll(rss2email)
    poll(rss2email)
    polls = recorder.take()
    assert [each.status for each in polls] == [200, 304]
    assert {"if-none-match", "if-modified-since"} <= polls[-1].asked.keys()
    assert len(mails(rss2email)) == len(FEEDS["/feeds/all"])


def test_rss2email_imports_the_opml(rss2email: Home, opml: Path, listed: list[str], recorder: Recorder) -> None:
    """All feeds of the OPML are imported by rss2email, and what is in them is mailed."""
    rss2email.run("r2e", "opmlimport", str(opml))
    assert re.findall(r"\((\S+) -> reader@localhost\)", rss2email.run("r2e", "list").stdout) == listed
    assert set(listed) == {f"{recorder.base_url}{path}.atom" for path in FEEDS}
    poll(rss2email)
    received: dict[str, set[Story]] = {}
    for mail in mails(rss2email):
        received.setdefault(mail["X-RSS-Feed"], set()).add(story(mail))
    assert received == {f"{recorder.base_url}{path}.atom": stories for path, stories in FEEDS.items()}
