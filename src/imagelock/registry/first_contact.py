"""The first request to an unknown host goes alone: what it learns, all others needn't."""

from __future__ import annotations

from threading import Condition

from imagelock.registry.access import Access


class FirstContact:
    """How a host wants to be asked, once somebody knows. Thread-safe."""

    def __init__(self, known: Access | None) -> None:
        self._changed = Condition()
        self._access = known
        self._is_somebody_asking = False

    @property
    def access(self) -> Access | None:
        """What is known, without waiting."""
        with self._changed:
            return self._access

    def enter(self) -> Access | None:
        """Wait until it is known; ``None`` says that the caller is the first, and must ``settle`` or ``fail``."""
        with self._changed:
            while self._access is None and self._is_somebody_asking:
                self._changed.wait()
            self._is_somebody_asking = self._access is None
            return self._access

    def settle(self, access: Access) -> None:
        """Tell everybody; a later answer replaces an earlier one."""
        with self._changed:
            self._access = access
            self._is_somebody_asking = False
            self._changed.notify_all()

    def settle_if_unknown(self, access: Access) -> None:
        """Tell everybody, unless somebody did."""
        with self._changed:
            if self._access is None:
                self.settle(access)

    def fail(self) -> None:
        """Let the next one find out."""
        with self._changed:
            self._is_somebody_asking = False
            self._changed.notify_all()

    def doubt(self, access: Access) -> None:
        """Forget what proved wrong, unless somebody learned better in the meantime."""
        with self._changed:
            if self._access == access:
                self._access = None
