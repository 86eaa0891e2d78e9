"""Nobody waits for a first contact that came to nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from imagelock.registry.auth.schemes import FirstContact, OpenAccess


def test_the_next_one_is_the_first_when_the_first_gave_way() -> None:
    contact = FirstContact(None)
    assert contact.enter() is None
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(contact.enter)
        contact.give_way()
        assert waiting.result(timeout=5) is None


def test_whoever_is_not_the_first_can_not_give_way() -> None:
    contact = FirstContact(None)
    assert contact.enter() is None
    with ThreadPoolExecutor(2) as pool:
        pool.submit(contact.give_way).result(timeout=5)
        waiting = pool.submit(contact.enter)
        contact.settle(OpenAccess())
        assert waiting.result(timeout=5) == OpenAccess()


def test_a_doubt_about_what_was_replaced_changes_nothing() -> None:
    contact = FirstContact(OpenAccess())
    contact.doubt(OpenAccess())
    assert contact.access is None
