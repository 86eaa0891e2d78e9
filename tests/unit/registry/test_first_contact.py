"""Nobody waits for a first contact that came to nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from imagelock.registry.auth.schemes import Discovery, Open


def test_the_next_one_is_the_first_when_the_first_gave_way() -> None:
    contact = Discovery(None)
    assert contact.wait_or_lead() is None
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(contact.wait_or_lead)
        contact.abandon()
        assert waiting.result(timeout=5) is None


def test_whoever_is_not_the_first_can_not_give_way() -> None:
    contact = Discovery(None)
    assert contact.wait_or_lead() is None
    with ThreadPoolExecutor(2) as pool:
        pool.submit(contact.abandon).result(timeout=5)
        waiting = pool.submit(contact.wait_or_lead)
        contact.resolve(Open())
        assert waiting.result(timeout=5) == Open()


def test_a_doubt_about_what_was_replaced_changes_nothing() -> None:
    contact = Discovery(Open())
    contact.invalidate(Open())
    assert contact.scheme is None
