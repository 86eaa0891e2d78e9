"""The first request to an unknown host goes alone: what it learns, all others needn't."""

from __future__ import annotations

from threading import Condition, get_ident

from imagelock.registry.auth.access import Access


class FirstContact:
    """How a host wants to be asked, once somebody knows. Thread-safe."""

    def __init__(self, known: Access | None) -> None:
        self._changed = Condition()
        self._access = known
        self._first: int | None = None

    @property
    def access(self) -> Access | None:
        """What is known, without waiting."""
        with self._changed:
            return self._access

    def enter(self) -> Access | None:
        """Wait until it is known; ``None`` says that the caller is the first, and must ``settle`` or ``give_way``."""
        with self._changed:
            while self._access is None and self._first is not None:
                self._changed.wait()
            if self._access is None:
                self._first = get_ident()
            return self._access

    def settle(self, access: Access) -> bool:
        """Tell everybody, and return whether it is news; a later answer replaces an earlier one."""
        with self._changed:
            is_news = self._access != access
            self._access = access
            self._first = None
            self._changed.notify_all()
            return is_news

    def settle_if_unknown(self, access: Access) -> bool:
        """Tell everybody, unless somebody did, and return whether it is news."""
        with self._changed:
            return self._access is None and self.settle(access)

    def give_way(self) -> None:
        """Let the next one find out, if the calling thread was the first and didn't."""
        with self._changed:
            if self._first == get_ident():
                self._first = None
                self._changed.notify_all()

    def doubt(self, access: Access) -> None:
        """Forget what proved wrong, unless somebody learned better in the meantime."""
        with self._changed:
            if self._access == access:
                self._access = None
