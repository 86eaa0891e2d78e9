"""One host of one registry: each question is sent with the right permit, and each refusal is told well."""

from __future__ import annotations

from collections.abc import Iterable

from imagelock.locking.parallel import DEFAULT_MAX_WORKERS
from imagelock.model.frozen import frozen
from imagelock.model.reference import Repository
from imagelock.registry.auth.authenticator import Authority, Permit, answer_as_nobody
from imagelock.registry.auth.schemes import BearerAccess
from imagelock.registry.auth.token_server import TokenExchange
from imagelock.registry.auth.tokens import AccessRefusedError
from imagelock.registry.http.messages import Request, Response
from imagelock.registry.http.sender import Delivery
from imagelock.registry.locations import Endpoint
from imagelock.registry.refusals import Asked, Identity, depends_on_identity, refusal_of

_MOST_RENEWALS = 2
"""From nothing to a token for many repositories, and from there to one for this repository alone."""


@frozen
class Subject:
    """What a question is about."""

    path: str
    """Of the repository, on the host that is asked."""
    repository: Repository
    """As everybody else calls it."""
    what: str
    """As errors call the thing asked for."""


class Session:
    """Asks one endpoint. Thread-safe."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        authority: Authority,
        delivery: Delivery,
        exchange: TokenExchange,
        is_anonymous: bool,
    ) -> None:
        self.endpoint = endpoint
        self.authority = authority
        self._delivery = delivery
        self._exchange = exchange
        self._is_anonymous = is_anonymous

    def prepare(self, paths: Iterable[str]) -> None:
        """Hear which repositories will be asked about; connect to whoever will be asked."""
        paths = tuple(paths)
        self.authority.prepare(paths)
        connections = min(len(paths), DEFAULT_MAX_WORKERS)
        self._delivery.open_early(self.endpoint.origin, registry=self.endpoint.registry, connections=connections)
        access = self.authority.access
        if isinstance(access, BearerAccess) and not access.public_token:
            self._delivery.open_early(access.realm.origin, registry=self.endpoint.registry, connections=1)

    def ask(self, request: Request, subject: Subject) -> Response:
        """Get a success, or raise what the refusal means."""
        return self.demand_success(self.answer(request, subject), subject)

    def demand_success(self, response: Response, subject: Subject) -> Response:
        """Raise what a refusal means."""
        if not response.is_success:
            raise refusal_of(response, self._asked(subject, response))
        return response

    def answer(self, request: Request, subject: Subject) -> Response:
        """Get whatever the answer is, after all that credentials can do for it: perhaps that they were refused."""
        try:
            permit = self.authority.permit_for(subject.path)
            return self._answer(request, permit, path=subject.path)
        except AccessRefusedError as error:
            return error.response
        finally:
            # Whoever waits for the first contact must not wait for one that failed.
            self.authority.note_end_of_contact()

    def _answer(self, request: Request, permit: Permit, *, path: str) -> Response:
        response = self._delivery.deliver(request.authorized(permit.authorization))
        for _ in range(_MOST_RENEWALS):
            if response.url.origin != self.endpoint.origin:
                return answer_as_nobody(request, response, delivery=self._delivery, exchange=self._exchange)
            renewed = self.authority.permit_after(response, permit, path=path)
            if renewed is None:
                return response
            permit = renewed
            response = self._delivery.deliver(request.authorized(permit.authorization))
        return response

    def _asked(self, subject: Subject, response: Response) -> Asked:
        found = self.authority.find_credentials(subject.path) if depends_on_identity(response) else None
        identity = Identity.SOMEBODY if found else Identity.NOBODY
        return Asked(
            what=subject.what,
            repository=subject.repository,
            identity=Identity.ANONYMOUS if self._is_anonymous else identity,
            credentials_source=found.source if found else "",
        )
