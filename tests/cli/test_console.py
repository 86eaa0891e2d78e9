"""How much is said, where, and in which colours."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from threading import Event

import pytest

from tests.support.project import Outcome, Project
from tests.support.raw_server import raw_server

_OnShown = Callable[[bytes, "subprocess.Popen[bytes]"], object]

_RED_ERROR = "\x1b[31m\x1b[1merror\x1b[0m: "


def test_quiet_keeps_errors_and_twice_quiet_only_the_exit_code(locked: Project) -> None:
    assert locked.run("-q", "check") == Outcome(0, "", "")
    locked.write("Dockerfile", "")
    assert locked.run("check", "-q").stderr.startswith("error: files are not as locked")
    assert locked.run("-qq", "check") == Outcome(1, "", "")
    assert locked.run("check", "-qq") == Outcome(1, "", "")
    assert locked.run("-qq", "check", "-q").stderr.startswith("error: files are not as locked")


def test_quietness_can_be_set_in_the_environment(locked: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGELOCK_QUIET", "1")
    assert locked.run("check") == Outcome(0, "", "")
    assert locked.run("list").stdout != ""


@pytest.mark.parametrize(
    ("environment", "arguments", "is_colored"),
    [
        ({}, [], False),
        ({}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"CLICOLOR_FORCE": "1"}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, [], False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, [], True),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, [], True),
        ({"FORCE_COLOR": ""}, [], False),
        ({"FORCE_COLOR": "0", "CLICOLOR_FORCE": "0"}, [], False),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
        ({"IMAGELOCK_COLOR": "always"}, [], True),
        ({"IMAGELOCK_COLOR": "never"}, ["--color", "always"], True),
        ({"IMAGELOCK_COLOR": "always"}, ["--color", "never"], False),
    ],
)
@pytest.mark.parametrize("is_before_the_command", [True, False])
def test_colours_are_shown_where_they_are_wanted(
    workshop: Project,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    arguments: list[str],
    *,
    is_colored: bool,
    is_before_the_command: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    outcome = workshop.run(*([*arguments, "check"] if is_before_the_command else ["check", *arguments]))
    assert outcome.stderr.startswith(_RED_ERROR if is_colored else "error: ")


def _on_a_terminal(workshop: Project, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run the command on a terminal of its own, which doesn't know its width, and return what it shows."""
    return _watch(workshop, arguments, environment, on_shown=lambda *_: None)


def _watch(
    workshop: Project, arguments: Sequence[str], environment: Mapping[str, str], *, on_shown: _OnShown
) -> tuple[int, str]:
    """Do the same, and call a function with all that was shown so far whenever there is more."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "imagelock", *arguments],
        cwd=workshop.folder,
        env={**{name: value for name, value in os.environ.items() if name != "CI"}, "TERM": "xterm", **environment},
        stderr=follower,
    ) as process:
        os.close(follower)
        shown = b""
        try:
            while piece := os.read(leader, 4096):
                shown += piece
                on_shown(shown, process)
        except OSError:  # the other side is gone
            pass
        finally:
            os.close(leader)
    return process.returncode, shown.decode().replace("\r\n", "\n")


def test_progress_is_one_line_on_a_terminal_which_vanishes(workshop: Project) -> None:
    clear = "\r\x1b[2K"
    exit_code, shown = _on_a_terminal(workshop, "lock", "--dry-run")
    assert exit_code == 0
    progress, _, rest = shown.rpartition(clear)
    lines = progress.split(clear)
    assert [line[:11] for line in lines] == ["", "Locking 1/2", "Locking 2/2"]
    assert rest.startswith("Would lock 2 images; nothing was written\n\x1b[32m\x1b[1mAdd\x1b[0m  go ")


def test_a_run_that_has_to_be_waited_for_is_named_on_a_terminal(workshop: Project) -> None:
    program = (
        "import sys; from pathlib import Path; from imagelock.project.mutex import exclusive\n"
        "with exclusive(Path(sys.argv[1])): print('held', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(workshop.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        exit_code, shown = _watch(
            workshop, ["lock"], {}, on_shown=lambda shown, _: other.kill() if b"Waiting for" in shown else None
        )
    assert exit_code == 0
    assert f"(process {other.pid})" in shown
    assert "Locked 2 images" in shown


def test_an_error_takes_the_progress_line_away(workshop: Project) -> None:
    (workshop.folder / "images.toml").write_text('[images]\ngone = "oci:nowhere:x"\n')
    exit_code, shown = _on_a_terminal(workshop, "lock", "--dry-run")
    assert exit_code == 2
    progress, _, rest = shown.rpartition("\r\x1b[2K")
    assert progress.startswith("\r\x1b[2KLocking 1/1")
    assert rest.startswith(_RED_ERROR)


def _wait_for(event: Event) -> None:
    event.wait()


def test_a_run_of_more_than_a_second_has_a_bar_and_names_the_host_that_it_waits_for(workshop: Project) -> None:
    over = Event()
    with raw_server(lambda _number, _connection: _wait_for(over)) as host:
        workshop.write("images.toml", f'[images]\na = "{host}/a:1"\n')
        exit_code, shown = _watch(
            workshop, ["lock"], {}, on_shown=lambda shown, _: over.set() if b"slowest" in shown else None
        )
    bar, clear, rest = shown.rpartition("\r\x1b[2K")
    assert exit_code == 3
    assert f"{clear}Locking 0/1  ░░░░░░░░░░░░░░░░░░░░░░░░  0.0/s  slowest: {host} " in bar
    assert rest.startswith(f"{_RED_ERROR}cannot lock `a`: ")


def test_an_interrupt_takes_the_progress_away(workshop: Project) -> None:
    over = Event()
    with raw_server(lambda _number, _connection: _wait_for(over)) as host:
        workshop.write("images.toml", f'[images]\na = "{host}/a:1"\nb = "oci:vendor:node:20"\n')
        interrupted: list[bool] = []

        def interrupt(shown: bytes, process: subprocess.Popen[bytes]) -> None:
            if b"Locking 1/2" in shown and not interrupted:
                interrupted.append(True)
                process.send_signal(signal.SIGTERM)  # what runs tests in the background ignores SIGINT

        exit_code, shown = _watch(workshop, ["lock"], {}, on_shown=interrupt)
        over.set()
    assert exit_code == 128 + signal.SIGTERM
    assert shown.endswith("\r\x1b[2Kinterrupted: nothing was written\n")


@pytest.mark.parametrize(
    ("arguments", "environment", "is_colored"),
    [
        (["-q"], {}, True),
        ([], {"CI": "yes"}, True),
        ([], {"TERM": "dumb"}, False),
        ([], {"CI": "true"}, True),
        ([], {"CI": "1", "NO_COLOR": "1"}, False),
        ([], {"CI": "1", "TERM": "dumb"}, False),
    ],
)
def test_a_terminal_shows_no_progress_where_nobody_watches(
    workshop: Project, arguments: list[str], environment: dict[str, str], *, is_colored: bool
) -> None:
    exit_code, shown = _on_a_terminal(workshop, "lock", "--dry-run", *arguments, **environment)
    assert exit_code == 0
    assert "Locking" not in shown
    assert ("\x1b" in shown) is (is_colored and not arguments)


def test_options_of_a_command_have_variables_named_for_what_people_type(
    locked: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGELOCK_CHECK_FORMAT", "json")
    assert locked.run("check").stdout.startswith('{\n  "schema": 1')
    monkeypatch.setenv("IMAGELOCK_LOCK_CHECK", "1")
    assert locked.run("lock") == Outcome(0, "", "images.lock matches images.toml\n")
    monkeypatch.delenv("IMAGELOCK_LOCK_CHECK")
    monkeypatch.setenv("IMAGELOCK_LOCK_UPGRADE_IMAGE", "go node")
    assert locked.run("lock") == Outcome(0, "", "go, node already up to date\n")
