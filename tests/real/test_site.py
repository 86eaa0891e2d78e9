"""The site: it builds without a warning, has no dead link, loads nothing from elsewhere, and a browser shows it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from tests.support.real_software import require_programs

_CHECKOUT = Path(__file__).parents[2]
_answers: Queue[bytes] = Queue()
"""What pages send to the server."""
_CHROMIUM = (
    "chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    build = [str(_CHECKOUT / "scripts/build-site"), str(folder)]
    done = subprocess.run(build, capture_output=True, check=False, env=environment, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    return folder


class _Page(HTMLParser):
    """The links and anchors of a page, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.add(values.get("id", ""))
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if tag in ("script", "img", "iframe") and values.get("src"):
            self.loads.append(values["src"])
        if tag == "link" and values.get("rel") in ("stylesheet", "preconnect", "icon", "preload"):
            self.loads.append(values["href"])


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, _Page]:
    """Every page by its address below the root."""
    found = {}
    for file in site.rglob("*.html"):
        folder = file.parent.relative_to(site).as_posix()
        address = "/" if folder == "." else f"/{folder}/"
        if file.name == "index.html":
            found[address] = _Page(file.read_text())
    return found


def test_every_page_of_the_documentation_is_there(pages: dict[str, _Page]) -> None:
    names = {path.stem for path in (_CHECKOUT / "docs").glob("*.md")}
    assert set(pages) == {"/" if name == "index" else f"/{name}/" for name in names}


def test_no_link_is_dead(pages: dict[str, _Page], site: Path) -> None:
    dead = []
    for address, page in pages.items():
        for link in page.links:
            target = urlsplit(urljoin(f"http://site{address}", link))
            if target.netloc != "site":
                continue
            path = unquote(target.path)
            if path not in pages:
                exists = (site / path.lstrip("/")).is_file() or path.startswith("/imagelock/")
                dead += [] if exists else [f"{address}: {link}"]
            elif target.fragment and target.fragment not in pages[path].anchors:
                dead.append(f"{address}: {link}")
    assert dead == []


def test_every_address_of_the_site_that_the_project_names_is_there(site: Path) -> None:
    """Editors fetch the schema that the first line of images.toml names."""
    root = re.escape("https://imagelock.github.io/imagelock/")
    named = set()
    for folder in ("src", "docs", "schema", "man"):
        for path in (_CHECKOUT / folder).rglob("*"):
            if path.suffix in (".py", ".md", ".json", ".1"):
                named |= set(re.findall(rf"{root}([\w./-]*)", path.read_text()))
    assert "images.schema.json" in named
    assert [name for name in named if not (site / name).exists()] == []
    for name in ("images", "reports"):
        assert (site / f"{name}.schema.json").read_bytes() == (_CHECKOUT / f"schema/{name}.schema.json").read_bytes()


def test_nothing_is_loaded_from_elsewhere(pages: dict[str, _Page]) -> None:
    assert {load for page in pages.values() for load in page.loads if urlsplit(load).netloc} == set()


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def do_POST(self) -> None:
            _answers.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(site))) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


_MEASURE = """\
<!doctype html><body><script>
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
async function open(address) {
  const frame = document.createElement("iframe");
  Object.assign(frame, {width: 390, height: 844, src: address});
  const loaded = new Promise((resolve) => frame.addEventListener("load", resolve, {once: true}));
  document.body.append(frame);
  await loaded;
  return frame.contentDocument;
}
async function overflows(addresses) {
  const found = {};
  for (const address of addresses) {
    const page = (await open(address)).documentElement;
    found[address] = page.scrollWidth - page.clientWidth;
  }
  return found;
}
async function cutTexts(addresses) {
  const cut = [];
  for (const address of addresses) {
    const picture = (await open(address)).documentElement;
    const {width, height} = picture.viewBox.baseVal;
    for (const text of picture.querySelectorAll("text:not([clip-path])")) {
      const {x, y, width: w, height: h} = text.getBBox();
      if (x < 0 || y < 0 || x + w > width || y + h > height) { cut.push(text.textContent); }
    }
  }
  return cut;
}
async function search(words) {
  const page = await open("/");
  const dialog = () => [...page.querySelectorAll("*")].find((element) => element.shadowRoot?.querySelector("input"));
  while (!dialog()) {
    page.querySelector(".md-search__button").click();
    await sleep(200);
  }
  const root = dialog().shadowRoot;
  const input = root.querySelector("input");
  input.value = words;
  input.dispatchEvent(new InputEvent("input", {bubbles: true, composed: true}));
  while (!root.querySelector("a")) { await sleep(100); }
  return [...root.querySelectorAll("a")].map((link) => new URL(link.href).pathname);
}
TASK.then((result) => fetch("/result", {method: "POST", body: JSON.stringify(result)}));
</script>
"""
"""Shows pages in frames as wide as a phone; the same origin lets it look into them."""


def _ask_browser(site: Path, address: str, profile: Path, task: str) -> Any:  # noqa: ANN401  any JSON
    """Let a browser do something with pages, and return what it sends to the server."""
    require_programs("chromium")
    (site / "measure.html").write_text(_MEASURE.replace("TASK", task))
    browser = subprocess.Popen(
        [*_CHROMIUM, f"--user-data-dir={profile}", "--remote-debugging-port=0", f"{address}/measure.html"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return json.loads(_answers.get(timeout=120))
    finally:
        browser.terminate()
        browser.wait()


def test_no_page_is_wider_than_a_phone(site: Path, address: str, pages: dict[str, _Page], tmp_path: Path) -> None:
    overflows = _ask_browser(site, address, tmp_path, f"overflows({json.dumps(sorted(pages))})")
    assert overflows == dict.fromkeys(pages, 0)


def test_no_diagram_cuts_its_words(site: Path, address: str, tmp_path: Path) -> None:
    diagrams = [f"/assets/{name}.svg" for name in ("digests", "flow", "states")]
    assert _ask_browser(site, address, tmp_path, f"cutTexts({json.dumps(diagrams)})") == []


def test_search_finds_pages(site: Path, address: str, tmp_path: Path) -> None:
    found = _ask_browser(site, address, tmp_path, 'search("checksum")')
    assert "/images-lock/" in found


@pytest.mark.parametrize("size", ["1440,900", "390,844"])
def test_a_browser_shows_a_page(address: str, tmp_path: Path, size: str) -> None:
    require_programs("chromium")
    picture = tmp_path / "page.png"
    command = [*_CHROMIUM, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={size}"]
    page = f"{address}/getting-started/"
    shown = subprocess.run([*command, "--dump-dom", page], capture_output=True, check=True, text=True).stdout
    assert "Getting started" in shown
    assert "imagelock init" in shown
    subprocess.run([*command, f"--screenshot={picture}", page], capture_output=True, check=True)
    assert picture.read_bytes().startswith(b"\x89PNG")
