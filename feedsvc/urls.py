"""URLs as they may leave: http or https, absolute, and nothing that a URI cannot hold (RFC 3986)."""

from __future__ import annotations

import re
import string
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

_PORTS = {"http": 80, "https": 443}
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
_NAME = r"[a-z0-9_-]++(?:\.[a-z0-9_-]++)*+"
# What every server and reader takes (RFC 9110 §4.1). An entry names some in each format of each feed.
MAX_URL = 8_000
MAX_HOST = 253
_DOMAIN = re.compile(rf"(?=.{{1,{MAX_HOST}}}\Z){_NAME}")
_HOST = re.compile(rf"(?=.{{1,{MAX_HOST}}}\Z){_NAME}\.?|\[[0-9a-f:.]{{2,45}}\]")
_KEEP = "%/:=&?~+!$,;'@()*"
# What stands where a URL has its password, also in one that is none: up to the last @, or else to the end where it
# is no port; and among the parameters.
_BEFORE_AT = re.compile(r"(/[^:/@]*:|^[^\s:/@]*:(?!/)(?=\S*@)).*@", re.DOTALL)
_AT_END = re.compile(r"(postgres[\w+]*:/*[^:/@]*:)(?!\d*(?:[/?,]|$)).*", re.DOTALL)
_PARAMETER = re.compile(r"([?&][a-z]*pass[a-z]*=)[^&]*")

# A URL that is clean already, as nearly all are: there is nothing to do but to see that.
_PART = r"[A-Za-z0-9_.~/:=&+!$,;'@()*-]*+(?:%[0-9A-Fa-f]{2}[A-Za-z0-9_.~/:=&+!$,;'@()*-]*+)*+"
_QUERY = rf"{_PART}(?:\?{_PART})*+"
_CLEAN = re.compile(
    rf"https?://(?=[^/?#]{{1,253}}(?:[/?#]|\Z)){_NAME}(?:/{_PART})?+(?:\?(?!#|\Z){_QUERY})?+(?:\#(?!\Z){_QUERY})?+"
)
_HAS_PATH = re.compile(r"https?://[^/?#]++/")


def looks_clean(text: str) -> bool:
    """Whether a text can be seen to be a clean URL; one that cannot may still be one."""
    return len(text) <= MAX_URL and _CLEAN.fullmatch(text) is not None


def clean_url(text: str) -> str | None:
    """The URL as a URI, or None where it is not absolute, not http(s), too long, or carries a password.

    What a URI cannot hold (space, letters beyond ASCII) is percent-encoded; a name beyond ASCII becomes its
    IDNA form. Nothing else about it changes: a publisher's server may care about every character.
    """
    if len(text) > MAX_URL:
        return None
    return text if _CLEAN.fullmatch(text) else _cleaned(text)


def _cleaned(text: str) -> str | None:
    try:
        parts = urlsplit(text.strip())
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
        if len(host) > MAX_HOST:
            # It takes seconds to find the ASCII form of a very long one.
            return None
        if ":" in host:
            host = f"[{host}]"
        elif not host.isascii():
            host = host.encode("idna").decode("ascii")
        path, query, fragment = map(_encode, (parts.path, parts.query, parts.fragment))
    except (ValueError, UnicodeError):
        return None
    if scheme not in _PORTS or "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    netloc = host if port is None or port == _PORTS[scheme] else f"{host}:{port}"
    url = urlunsplit(SplitResult(scheme, netloc, path, query, fragment))
    return url if len(url) <= MAX_URL else None


def _encode(part: str) -> str:
    return quote(_BARE_PERCENT.sub("%25", part), safe=_KEEP)


def normalise_url(url: str) -> str:
    """The form of a clean URL by which two of them are the same (RFC 3986 §6.2.2 and 6.2.3).

    Without default port, with `/` for an empty path; escapes in upper case, and none where the
    character needs none. Case of the path, query, a slash at the end and
    the fragment count: servers and pages tell them apart.
    """
    return url if "%" not in url and _HAS_PATH.match(url) else _normalised(url)


def _normalised(url: str) -> str:
    parts = urlsplit(url)
    path = _ESCAPE.sub(_normal_escape, parts.path) or "/"
    query, fragment = (_ESCAPE.sub(_normal_escape, part) for part in (parts.query, parts.fragment))
    return urlunsplit(SplitResult(parts.scheme, parts.netloc, path, query, fragment))


def _normal_escape(match: re.Match[str]) -> str:
    char = unquote(match[0])
    return char if char in _UNRESERVED else match[0].upper()


def clean_domain(text: str) -> str | None:
    """A provider's domain in lower case, also from a whole URL; None where it is none."""
    return text if _DOMAIN.fullmatch(text) else _cleaned_domain(text)


def _cleaned_domain(text: str) -> str | None:
    url = clean_url(text if "://" in text else f"http://{text.strip()}/")
    host = urlsplit(url).hostname if url else None
    return host if host and re.fullmatch(_NAME, host) else None


def without_password(text: str) -> str:
    """The text, in which somebody may have written a URL, without the password of that."""
    text = _BEFORE_AT.sub(r"\1***@", text) if "@" in text else _AT_END.sub(r"\1***", text)
    return _PARAMETER.sub(r"\1***", text)
