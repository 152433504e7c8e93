"""Identity: what tells an article from all others, and what else it may be called by."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha1
from uuid import NAMESPACE_URL

from feedsvc.urls import clean_url, normalise_url

# Parameters that tell where somebody came from, and not what is shown.
_TRACKING = re.compile(
    r"(utm_[a-z_]+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|igshid|mc_[ce]id)(=|\Z)", re.IGNORECASE
)


# Feeds ask for those of the articles that they show, again and again.
@lru_cache(maxsize=2**12)
def id_of(identity: str) -> str:
    """The entry id of an article of this identity: the URN of its UUIDv5 (RFC 9562 §5.5)."""
    # A UUID object for it would take most of the time.
    digest = bytearray(sha1(NAMESPACE_URL.bytes + identity.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def identity_of(given: str, url: str) -> str:
    """What tells an article from all others: the id that it was given, else its URL, in one form (RFC 3986 §6).

    Args:
        given: the id, a URL or any other text; "" where there is none.
        url: a clean one; "" where there is none.
    """
    as_url = clean_url(given) if given else url
    return normalise_url(as_url) if as_url else given


def addresses_of(identity: str, *urls: str | None) -> tuple[str, ...]:
    """What an article may be called by, in a form in which two are the same.

    The scheme, `www.`, the fragment and tracking parameters make no difference.

    Args:
        identity: what `identity_of` tells.
        urls: all that the article has, each a clean one.
    """
    # The identity is nearly always one of the URLs, and often there is no other.
    others = [normalise_url(url) for url in urls if url and url != identity]
    return tuple(dict.fromkeys(map(address_of, [identity, *others] if identity else others)))


def address_of(name: str) -> str:
    """One identity or clean URL in that form."""
    if not name.startswith(("http:", "https:")):
        # An id that is no URL is what it is.
        return name
    address = name.partition("#")[0].removeprefix("http:").removeprefix("https:")
    if address.startswith("//www."):
        address = f"//{address[6:]}"
    if "?" in address:
        place, _, query = address.partition("?")
        asked = "&".join(each for each in query.split("&") if not _TRACKING.match(each))
        address = f"{place}?{asked}" if asked else place
    return address.rstrip("/")
