"""Any text as a URL: none, or one that is absolute, of the web, and the same when it is cleaned again."""

from __future__ import annotations

from urllib.parse import urlsplit

from feedsvc.articles.identity import address_of, addresses_of, identity_of
from feedsvc.urls import MAX_URL, clean_domain, clean_url, normalise_url, without_password

# No quotation mark, angle bracket, space or control character, so that it is itself wherever it is written.
_URI = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%")


def fuzz(data: bytes) -> None:
    """As the field of a file would have it, with lone surrogates too."""
    text = data.decode("utf-8", "surrogateescape")
    without_password(text)
    domain = clean_domain(text)
    assert domain is None or clean_domain(domain) == domain
    url = clean_url(text)
    if url is None:
        return
    parts = urlsplit(url)
    assert parts.scheme in {"http", "https"}
    assert parts.hostname
    assert "@" not in parts.netloc
    assert set(url) <= _URI
    assert clean_url(url) == url
    normal = normalise_url(url)
    # An empty path becomes one of a character.
    assert clean_url(normal) == normal or len(url) == MAX_URL
    assert normalise_url(normal) == normal
    assert address_of(identity_of("", url)) in addresses_of(normal, url)
