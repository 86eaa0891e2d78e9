"""Turn a response that is not a 2xx into an error: what failed, what the registry reported, and a hint.

Error bodies are the JSON of the specification, or whatever a registry or proxy sends instead:
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from http import HTTPStatus
from itertools import islice

import httpx

from imagelock.errors import (
    AuthenticationError,
    ImageNotFoundError,
    InvalidContentError,
    RegistryError,
    TemporaryError,
    printable,
)
from imagelock.model.frozen import frozen
from imagelock.model.reference import DOCKER_HUB, Repository
from imagelock.model.secrets import mask_secrets
from imagelock.registry.http.backoff import describe_retry_after, is_quota_spent, read_quota
from imagelock.registry.http.messages import (
    ERROR_BYTES,
    OPERATOR_HINT,
    content_type,
    is_of_token_server,
    sent_status,
)
from imagelock.registry.http.urls import origin_of

_MAX_COMPLAINTS = 5
_MESSAGE_KEYS = ("message", "details", "detail", "error_description", "error", "title", "reason", "msg")
_TITLE = re.compile(rb"<title[^>]{0,200}>([^<]{1,500})", re.IGNORECASE)
_NO_REPOSITORY = "NAME_UNKNOWN"
_CONTENT_CODES = frozenset({"MANIFEST_UNKNOWN", "BLOB_UNKNOWN"})
_MISSING_CODES = frozenset({_NO_REPOSITORY, *_CONTENT_CODES, "NOT_FOUND"})
_LOGIN_CODES = frozenset({"UNAUTHORIZED", "DENIED"})
_TOO_MANY_REQUESTS = "TOOMANYREQUESTS"


@frozen
class Complaint:
    """One entry of ``errors`` in the body of a refusal, safe to print."""

    code: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.code, self.message) if part)


def read_complaints(response: httpx.Response) -> tuple[Complaint, ...]:
    """Return at most five entries of an error's body, of any known shape; of a web page the title."""
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        return _plain_text(response)
    errors = document.get("errors") if isinstance(document, dict) else None
    listed = errors if isinstance(errors, list) else [errors or document]
    return tuple(islice(_complaints(listed), _MAX_COMPLAINTS))


def is_written_by_distribution(response: httpx.Response) -> bool:
    """Return whether a refusal has the shape that only CNCF distribution and software derived from it send.

    They accept a token for every repository that it names, so one token may cover many.
    """
    try:
        errors = json.loads(response.content)["errors"]
        return {"Type", "Class", "Name", "Action"} <= set(errors[0]["detail"][0])
    except (ValueError, RecursionError, LookupError, TypeError):
        return False


def _complaints(errors: list[object]) -> Iterator[Complaint]:
    for error in errors:
        if isinstance(error, str):
            complaint = Complaint("", _safe_text(error))
        elif isinstance(error, dict):
            # Google's servers wrap code and message in another object, `error`.
            inner = error["error"] if isinstance(error.get("error"), dict) else error
            message = next((inner[key] for key in _MESSAGE_KEYS if isinstance(inner.get(key), str)), "")
            code = inner.get("code")
            complaint = Complaint(_safe_text(code) if isinstance(code, str) else "", _safe_text(message))
        else:
            continue
        if complaint.code or complaint.message:
            yield complaint


def _plain_text(response: httpx.Response) -> tuple[Complaint, ...]:
    text = response.content.decode("utf-8", "replace").strip()
    if text.startswith("<") or content_type(response) == "text/html":
        title = _TITLE.search(response.content)
        text = " ".join(title[1].decode("utf-8", "replace").split()) if title else ""
    if not text:
        return ()
    return (Complaint("", _safe_text(text)),)


class Identity(Enum):
    """Which credentials a request had."""

    NO_CREDENTIALS = auto()
    """None were found."""
    ANONYMOUS = auto()
    """None were looked for, because of ``--anonymous``."""
    CREDENTIALS = auto()
    UNASKED = auto()
    """Some were found, and the registry refused without asking for them."""


@frozen(kw_only=True)
class RefusedRequest:
    """A request that was refused: what it was for, and the credentials that it had."""

    what: str
    """The reference or repository, as error messages name it."""
    repository: Repository
    identity: Identity = Identity.NO_CREDENTIALS
    credentials_source: str = ""
    credential_problems: tuple[str, ...] = ()
    """The sources of credentials that were skipped, each with the reason."""

    @property
    def registry(self) -> str:
        """The registry name as in references."""
        return self.repository.registry

    @property
    def login_command(self) -> str:
        """The command that stores credentials; without a registry it is for Docker Hub."""
        return "docker login" if self.registry == DOCKER_HUB else f"docker login {self.registry}"


def depends_on_credentials(response: httpx.Response) -> bool:
    """Return whether a refusal may be due to credentials: only then its error needs a look-up of them."""
    statuses = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
    return response.status_code in statuses or (response.is_success and _has_code(response, _LOGIN_CODES))


def refusal_of(response: httpx.Response, refused: RefusedRequest) -> RegistryError:
    """Return the error for a response that is not a 2xx."""
    complaints = read_complaints(response)
    is_missing = response.is_client_error and _is_missing(complaints, of_token_server=is_of_token_server(response))
    if is_missing or (response.status_code == HTTPStatus.NOT_FOUND and not is_of_token_server(response)):
        return _not_found(response, refused, complaints)
    if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return _login_refused(response, refused, complaints)
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return _too_many_requests(response, refused, complaints)
    if response.is_server_error or response.status_code == HTTPStatus.REQUEST_TIMEOUT:
        return TemporaryError(
            f"{refused.registry} failed to serve {refused.what}",
            details=_response_details(response, complaints),
            hint="run the same command again later",
        )
    what = "a token" if is_of_token_server(response) else "the request"
    return RegistryError(
        f"{refused.registry} refused {what} for {refused.what}",
        details=_response_details(response, complaints),
        hint=OPERATOR_HINT,
    )


def refusal_in_success(
    response: httpx.Response, problem: InvalidContentError, refused: RefusedRequest
) -> RegistryError:
    """Return the error for a 2xx response with ``problem``: that of a refusal if the body is one.

    The proxies of JFrog and Nexus send status 200 when the registry behind them refuses.
    """
    complaints = read_complaints(response) if _is_refusal(response) else ()
    codes = {complaint.code for complaint in complaints}
    if codes & _MISSING_CODES:
        return _not_found(response, refused, complaints)
    if codes & _LOGIN_CODES:
        return _login_refused(response, refused, complaints)
    if _TOO_MANY_REQUESTS in codes:
        return _too_many_requests(response, refused, complaints)
    if not complaints:
        return problem
    details = [*problem.details, *_response_details(response, complaints)]
    return InvalidContentError(problem.message, details=details, hint=problem.hint)


def _is_refusal(response: httpx.Response) -> bool:
    """Return whether a body may be an error: it is short, and not a manifest, whose text is never shown."""
    return b'"schemaVersion"' not in response.content and len(response.content) <= ERROR_BYTES


def _has_code(response: httpx.Response, codes: frozenset[str]) -> bool:
    return _is_refusal(response) and any(complaint.code in codes for complaint in read_complaints(response))


def _is_missing(complaints: Iterable[Complaint], *, of_token_server: bool) -> bool:
    """Return whether an error is about missing content; what a token server lacks may only be a repository."""
    codes = _MISSING_CODES - _CONTENT_CODES if of_token_server else _MISSING_CODES
    return any(complaint.code in codes for complaint in complaints)


def _not_found(
    response: httpx.Response, refused: RefusedRequest, complaints: tuple[Complaint, ...]
) -> ImageNotFoundError:
    is_repository = refused.what == str(refused.repository) or any(each.code == _NO_REPOSITORY for each in complaints)
    if is_repository:
        hint = "check the spelling of the repository"
    elif not refused.what.startswith(str(refused.repository)):
        hint = "report it to the operator of this registry: it serves the image without this content"
    elif "@" in refused.what:
        hint = "check the digest: registries delete content that no tag names"
    else:
        hint = f"run `imagelock tags {refused.repository}` to list its tags"
    details = _response_details(response, complaints)
    return ImageNotFoundError(f"{refused.what} does not exist", details=details, hint=hint)


def _login_refused(
    response: httpx.Response, refused: RefusedRequest, complaints: tuple[Complaint, ...]
) -> AuthenticationError:
    login = refused.login_command
    match refused.identity:
        case Identity.NO_CREDENTIALS:
            who, hint = f"no credentials for {refused.registry} were found", f"check the spelling, or run `{login}`"
            if refused.credential_problems:
                hint = f"fix what was skipped, or run `{login}`"
        case Identity.ANONYMOUS:
            who, hint = "no credentials used (`--anonymous`)", f"leave out --anonymous, or run `{login}`"
        case Identity.CREDENTIALS:
            who = f"asked with the credentials from {refused.credentials_source}"
            hint = f"check the spelling, or run `{login}` again, or use --anonymous for public images"
        case Identity.UNASKED:
            who = f"the credentials from {refused.credentials_source} were not sent: it asked for no login known here"
            hint = "check the spelling, or ask the operator of this registry how to log in, and from where"
    passed_over = refused.credential_problems if refused.identity is Identity.NO_CREDENTIALS else ()
    return AuthenticationError(
        f"{refused.what} does not exist or needs a login",
        details=[who, *passed_over, *_response_details(response, complaints)],
        hint=hint,
    )


def _too_many_requests(
    response: httpx.Response, refused: RefusedRequest, complaints: tuple[Complaint, ...]
) -> TemporaryError:
    if not is_quota_spent(response):
        return TemporaryError(
            f"{refused.registry} received too many requests and did not serve {refused.what}",
            details=_response_details(response, complaints),
            hint="run the same command again later",
        )
    has_credentials = refused.identity is Identity.CREDENTIALS
    who = f"with the credentials from {refused.credentials_source}" if has_credentials else "without a login"
    quota = read_quota(response)
    return TemporaryError(
        f"the pull quota of {refused.registry} is used up; {refused.what} was not served",
        details=[f"asked {who}", *([str(quota)] if quota else []), *_response_details(response, complaints)],
        hint="wait until the quota resets"
        if has_credentials
        else f"run `{refused.login_command}`: an account has a larger quota",
    )


def _response_details(response: httpx.Response, complaints: tuple[Complaint, ...]) -> list[str]:
    host = origin_of(response.url).host_and_port
    details = [f"{host} answered {sent_status(response)}", *(f"it said: {complaint}" for complaint in complaints)]
    retry_after = describe_retry_after(response)
    return details if retry_after is None else [*details, retry_after]


def _safe_text(text: str) -> str:
    """Return a server's text on one line, with secrets masked before it is cut to a length."""
    return printable(mask_secrets(text))
