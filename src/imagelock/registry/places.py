"""Where a repository's content can be had: from mirrors, and at last from the registry itself.

Content by digest may come from anywhere, since it proves itself. What a tag means is the registry's word, unless
somebody declared that a mirror's word will do. A lock names the registry in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from imagelock.errors import RegistryError
from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName, Repository
from imagelock.registry.registries_conf import MirrorUse, RegistryRule, find_rule
from imagelock.registry.settings import RegistryOptions


@frozen
class Place:
    """A host, and what the repository is called there."""

    host: RegistryName
    path: str
    may_be_plain: bool = False
    """Whether somebody declared that the host may do without TLS."""


class Places:
    """Knows all mirrors: those of images.toml come first, then those of registries.conf."""

    def __init__(self, options_of: Callable[[RegistryName], RegistryOptions], rules: tuple[RegistryRule, ...]) -> None:
        self._options_of = options_of
        self._rules = rules

    def of_content(self, repository: Repository) -> tuple[Place, ...]:
        """List the places to ask for content by digest, in order; the last one is the registry itself."""
        rule = self._find_rule(repository)
        declared = self._declared_mirrors(repository)
        return (*declared, *_mirrors_of_rule(repository, rule, unwanted=MirrorUse.TAGS), _home(repository, rule))

    def of_tag(self, repository: Repository) -> tuple[Place, ...]:
        """List the places whose word on a tag will do; without a permission that is the registry alone."""
        rule = self._find_rule(repository)
        if not self._options_of(repository.registry).mirrors_resolve_tags:
            return (_home(repository, rule),)
        declared = self._declared_mirrors(repository)
        return (*declared, *_mirrors_of_rule(repository, rule, unwanted=MirrorUse.DIGESTS), _home(repository, rule))

    def home(self, repository: Repository) -> Place:
        """Return the registry itself, which alone knows what it still serves."""
        return _home(repository, self._find_rule(repository))

    def _declared_mirrors(self, repository: Repository) -> tuple[Place, ...]:
        mirrors = self._options_of(repository.registry).mirrors
        return tuple(_place(f"{mirror}/{repository.path}") for mirror in mirrors)

    def _find_rule(self, repository: Repository) -> RegistryRule | None:
        rule = find_rule(str(repository), self._rules)
        if rule is not None and rule.is_blocked:
            raise RegistryError(f"{repository} must not be asked", details=[f"{rule.source} blocks `{rule.prefix}`"])
        return rule


def _home(repository: Repository, rule: RegistryRule | None) -> Place:
    if rule is None:
        return Place(repository.registry, repository.path)
    if not rule.location:
        return Place(repository.registry, repository.path, rule.is_insecure)
    return _place(rule.relocate(str(repository), rule.location), may_be_plain=rule.is_insecure)


def _mirrors_of_rule(repository: Repository, rule: RegistryRule | None, *, unwanted: MirrorUse) -> Iterator[Place]:
    if rule is not None:
        for mirror in rule.mirrors:
            if mirror.use is not unwanted:
                location = rule.relocate(str(repository), mirror.location)
                yield _place(location, may_be_plain=mirror.is_insecure)


def _place(text: str, *, may_be_plain: bool = False) -> Place:
    host, _, path = text.partition("/")
    return Place(RegistryName(host.lower()), path, may_be_plain)
