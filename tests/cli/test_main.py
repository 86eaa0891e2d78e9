from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagelock import __version__
from imagelock.__main__ import main
from imagelock.cli import commands
from tests.support.processes import LOOPBACK
from tests.support.project import Outcome, Project

_COMMANDS = Path(commands.__file__).parent
_USAGE = "\nhint: run `imagelock --help`\n"
_CHECK_FORMATS = "`text`, `json`, `markdown`, `sarif`, `gitlab`"
_USAGE_OF_CHECK = "\nhint: run `imagelock check --help`\n"


@pytest.fixture(autouse=True)
def _handlers_of_signals_are_restored() -> Iterator[None]:
    """What `main` installs ends the whole process, which is not ours here."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_version_is_that_of_the_package(workshop: Project) -> None:
    assert workshop.run("--version") == Outcome(0, f"imagelock {__version__}\n", "")


def test_the_version_is_known_before_anything_is_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["imagelock", "--version"])
    main()
    assert capsys.readouterr() == (f"imagelock {__version__}\n", "")


@pytest.mark.usefixtures("workshop")
def test_the_program_ends_with_the_exit_code_of_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["imagelock", "check"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert (caught.value.code, capsys.readouterr().out) == (1, "")


def test_a_defect_is_never_the_answer_no() -> None:
    """Python ends with 1 after an uncaught exception, which is what `check` returns for a stale lock."""
    program = (
        "import imagelock.cli.main as line; line.run = lambda: {}['gone']; from imagelock.__main__ import main; main()"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Traceback")
    assert ended.stderr.endswith(
        f"KeyError: 'gone'\n\nerror: imagelock {__version__} has a defect\n\n"
        "hint: report it with the lines above: https://github.com/imagelock/imagelock/issues\n"
    )


def test_help_lists_the_commands_in_groups_and_the_common_options_once(workshop: Project) -> None:
    outcome = workshop.run("--help")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    groups, options = outcome.stdout.split("\nCommon options, before or behind the command:\n")
    titles = [line for line in groups.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles == ["Start:", "Every day:", "Update:", "Prove and carry:", "Look up:", "Other:"]
    names = [line.split()[0] for line in groups.partition("Start:\n")[2].splitlines() if line.startswith("  ")]
    assert sorted(names) == sorted(path.stem for path in _COMMANDS.glob("[a-z]*.py"))
    assert "[env: IMAGELOCK_OFFLINE]" in options
    for name in names:
        shown = workshop.run(name, "--help")
        assert (shown.exit_code, shown.stderr) == (0, "")
        assert max(map(len, shown.stdout.splitlines())) <= 80
        assert workshop.run("help", name).stdout == shown.stdout
        if name != "cache":
            assert "\nExit codes:\n  0 " in shown.stdout
            assert "Do not use the network" not in shown.stdout


def test_the_help_of_a_command_has_its_variables_defaults_and_examples(workshop: Project) -> None:
    shown = workshop.run("help", "lock").stdout
    assert "[env: IMAGELOCK_LOCK_UPGRADE]" in " ".join(shown.split())
    assert "[default: text]" in " ".join(shown.split())
    assert shown.endswith("\nExamples:\n  imagelock lock\n  imagelock lock --check\n")


def test_help_is_a_command_too(workshop: Project) -> None:
    assert workshop.run("help").stdout == workshop.run("--help").stdout
    assert workshop.run("help", "cache", "size").stdout == workshop.run("cache", "size", "--help").stdout
    assert workshop.run("help", "lokc") == Outcome(
        2, "", "error: there is no command `lokc`; did you mean `lock`?\n\nhint: run `imagelock help`\n"
    )
    assert workshop.run("-V") == workshop.run("--version")


def test_without_a_command_the_help_is_shown_as_a_mistake(workshop: Project) -> None:
    shown = workshop.run()
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr == workshop.run("--help").stdout


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [
        (["lokc"], f"error: there is no command `lokc`; did you mean `lock`?\n{_USAGE}"),
        (["xyz"], f"error: there is no command `xyz`\n{_USAGE}"),
        (["--xyz"], f"error: there is no option `--xyz`\n{_USAGE}"),
        (
            ["lock", "--chek"],
            "error: there is no option `--chek`; did you mean `--check`?\n\nhint: run `imagelock lock --help`\n",
        ),
        (["lock", "extra"], "error: unexpected argument: `extra`\n\nhint: run `imagelock lock --help`\n"),
        (
            ["--color", "red", "lock"],
            f"error: invalid value for `--color`: `red` is not one of `auto`, `always`, `never`\n{_USAGE}",
        ),
        (
            ["check", "--format", "xml"],
            f"error: invalid value for `--format`: `xml` is not one of {_CHECK_FORMATS}\n{_USAGE_OF_CHECK}",
        ),
        (["update", "go", "--to"], "error: `--to` needs a value\n"),
        (["lock", "--check=yes"], "error: `--check` takes no value\n"),
        (["add"], "error: `imagelock add` needs [NAME] IMAGE\n\nhint: run `imagelock add --help`\n"),
        (["digest"], "error: `imagelock digest` needs IMAGE\n\nhint: run `imagelock digest --help`\n"),
        (
            ["-C", "nowhere", "check"],
            "error: cannot work in nowhere: No such file or directory\n",
        ),
    ],
)
def test_what_is_typed_wrong_is_told(workshop: Project, arguments: list[str], stderr: str) -> None:
    assert workshop.run(*arguments) == Outcome(2, "", stderr)


# A shell that starts the tests in the background makes everything below deaf to interrupts.
_LISTENING = """
import signal
from imagelock.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


def _start(workshop: Project, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _LISTENING, *arguments],
        cwd=workshop.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_at_once(workshop: Project, number: int) -> None:
    with socket.create_server((LOOPBACK, 0)) as registry:
        workshop.write("images.toml", f'[images]\na = "{LOOPBACK}:{registry.getsockname()[1]}/a:1"\n')
        with _start(workshop, "lock") as process:
            connection, _ = registry.accept()  # the command waits for an answer that never comes
            process.send_signal(number)
            told = process.communicate(timeout=20)
            connection.close()
    assert told == (b"", b"\ninterrupted: nothing was written\n")
    assert process.returncode == 128 + number


def test_a_reader_that_goes_away_is_no_error(locked: Project) -> None:
    with _start(locked, "list") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0


_IMPORTED = """
import sys
from imagelock.__main__ import main
sys.argv[0] = "imagelock"
try:
    main()
except SystemExit as error:
    assert not error.code, error.code
print("httpx" in sys.modules, "httpcore" in sys.modules, "rich" in sys.modules, "click" in sys.modules)
"""


@pytest.mark.parametrize(
    ("arguments", "needs_click"),
    [(["--version"], False), (["lock", "--check"], True), (["check"], True), (["lock"], True)],
)
def test_questions_import_no_http_client(locked: Project, arguments: list[str], *, needs_click: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTED, *arguments], cwd=locked.folder, capture_output=True, check=True, text=True
    )
    assert done.stdout.splitlines()[-1] == f"False False False {needs_click}"


_LOADED = """
import sys
from imagelock.__main__ import main
sys.argv[0] = "imagelock"
try:
    main()
except SystemExit:
    pass
print("tomlkit" in sys.modules)
"""


@pytest.mark.parametrize(
    ("arguments", "edits"),
    [
        (["check"], False),
        (["lock"], False),
        (["update"], False),
        (["render"], False),
        (["outdated"], False),
        (["list"], False),
        (["init", "--dry-run"], False),
        (["remove", "no-such"], True),
    ],
)
def test_only_commands_that_edit_load_the_library_for_edits(
    locked: Project, arguments: list[str], *, edits: bool
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *arguments], cwd=locked.folder, capture_output=True, check=True, text=True
    )
    assert done.stdout.splitlines()[-1] == f"{edits}"


_COMPILED = """
import gc
import sys
from imagelock.__main__ import main
sys.argv[0] = "imagelock"
try:
    main()
except SystemExit as error:
    assert not error.code, error.code
ours = [module for name, module in sys.modules.items() if name.startswith("imagelock.")]
classes = {each for module in ours for each in vars(module).values() if isinstance(each, type)}
dataclasses = (each for each in classes if hasattr(each, "__dataclass_params__"))
compiled = (each.__qualname__ for each in dataclasses if each.__dataclass_params__.init)
print("compiled:", *sorted(compiled))
print("left to the system:", gc.get_freeze_count() > 0)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["check"], ["lock", "--check"], ["list"], ["render"]])
def test_what_runs_all_day_compiles_no_classes_and_leaves_no_memory_to_be_searched(
    locked: Project, arguments: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _COMPILED, *arguments], cwd=locked.folder, capture_output=True, check=True, text=True
    )
    assert done.stdout.splitlines()[-2:] == ["compiled:", "left to the system: True"]
