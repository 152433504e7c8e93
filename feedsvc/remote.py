"""Remote: asks a running service to reload, over HTTP."""

from __future__ import annotations

import http.client
import ipaddress
import json
import urllib.error
import urllib.request
from typing import IO, Any

TOKEN = "FEEDSVC_ADMIN_TOKEN"  # noqa: S105 - the variable's name
TOKEN_FILE = "FEEDSVC_ADMIN_TOKEN_FILE"  # noqa: S105 - the same
# A reload reads the whole directory, and others may be waited for.
_SECONDS = 600


class RemoteError(Exception):
    """The service did not reload; the message says why, and what to do."""


def reload_remote(host: str, port: int, token: str, *, accept: bool) -> dict[str, Any]:
    """Have the service reload, and wait until the new feeds are served; what it tells of that.

    Args:
        host: what it listens on.
        port: the same.
        token: what it was started with.
        accept: publish what is held back as a mistake.

    Raises:
        RemoteError: it did not.
    """
    url = f"http://{_reachable(host)}:{port}/admin/reload{'?accept=1' if accept else ''}"
    request = urllib.request.Request(url, method="POST", headers={"Authorization": f"Bearer {token}"})
    # No proxy of the environment's is to have the token.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=_SECONDS) as response:
            report = _read(response)
    except urllib.error.HTTPError as error:
        raise RemoteError(_refused(url, error)) from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise RemoteError(
            f"no service answers at {url}: {reason}; is it running, on this host and port?"
        ) from error
    except (ValueError, http.client.HTTPException) as error:
        raise RemoteError(f"{url} does not answer as feedsvc does; what runs there?") from error
    if "problems" not in report:
        raise RemoteError(f"{url} does not answer as feedsvc does; what runs there?")
    return report


def _read(answer: IO[bytes]) -> dict[str, Any]:
    """The body; nothing where it is no mapping in JSON.

    Raises:
        OSError, ValueError, http.client.HTTPException: it cannot be read.
    """
    body = json.load(answer)
    return body if isinstance(body, dict) else {}


def _reachable(host: str) -> str:
    """Where a server that listens on `host` can be reached from the same machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "[::1]" if address.version == 6 else "127.0.0.1"
    return f"[{host}]" if address.version == 6 else host


def _refused(url: str, error: urllib.error.HTTPError) -> str:
    if error.code == 401:
        return f"{url} refuses the token; is {TOKEN} the one that the service was started with?"
    if error.code == 404:
        return f"{url} is switched off; start the service with {TOKEN} or {TOKEN_FILE} set"
    try:
        body = _read(error)
    except (OSError, ValueError, http.client.HTTPException):
        body = {}
    return f"{url} answers {error.code}: {body.get('error') or body.get('detail') or error.reason}"
