"""Is our Dockerfile built from what imagelock locks, and does the image work? Run by hand, as root, on Debian.

    apt-get install debootstrap buildah docker-registry skopeo
    PYTHONPATH=. python tests/by_hand/own_image.py [BUILDAH-OPTION...]

Docker Hub is a registry on loopback here, whose python is Debian's under the name of the real one: imagelock locks it,
pins our Dockerfile and ci.yml, and checks them; buildah builds; the image checks projects, with and without git. The
options are for the build, such as a `--volume` with the settings of pip, where packages do not come from PyPI.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.registry_server import RegistryServer, anonymous_registry

_CHECKOUT = Path(__file__).parents[2]
_BASES = ("python:3.13-slim-trixie", "debian:12")
_PROJECT = {
    "images.toml": '[images]\ngo = "oci:./layout:demo/golang:1.22-bookworm"\n[pin]\nfiles = ["*/Dockerfile"]\n',
    "app/Dockerfile": "FROM demo/golang:1.22-bookworm\n",
}


def main(options: list[str]) -> int:
    """Build, run, and return 0 if everything was as it should be."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "registry").mkdir()
        with anonymous_registry(folder / "registry") as registry:
            environment = _environment(folder, registry)
            store = [
                "buildah",
                "--root",
                str(folder / "root"),
                "--runroot",
                str(folder / "run"),
                "--storage-driver=vfs",
            ]
            _push_bases(folder, store, registry)
            checkout = _pin(folder, environment)
            build = [*store, "build", "--isolation=chroot", "--quiet", "--tls-verify=false", *options, "."]
            image = _run(build, environment, checkout)
        _use(folder, store, image.strip())
    return 0


def _environment(folder: Path, registry: RegistryServer) -> Mapping[str, str]:
    conf = folder / "registries.conf"
    conf.write_text(f'[[registry]]\nprefix = "docker.io"\nlocation = "{registry.address}"\ninsecure = true\n')
    return {**os.environ, "CONTAINERS_REGISTRIES_CONF": str(conf), "IMAGELOCK_NO_CACHE": "1"}


def _push_bases(folder: Path, store: list[str], registry: RegistryServer) -> None:
    """Push Debian 13 with its Python, for two platforms, under the names of our bases."""
    root = folder / "base"
    packages = "python3,python3-pip,python3-venv,ca-certificates"
    _run(["debootstrap", "--variant=minbase", f"--include={packages}", "trixie", str(root), *_mirror()])
    for program in ("python", "pip"):
        (root / "usr/local/bin" / program).symlink_to(f"/usr/bin/{program}3")
    base = _run([*store, "from", "scratch"]).strip()
    _run([*store, "copy", "--quiet", base, str(root), "/"])
    _run([*store, "manifest", "create", "base"])
    for architecture in ("amd64", "arm64"):
        _run([*store, "config", "--arch", architecture, base])
        committed = _run([*store, "commit", "--quiet", base]).strip()
        _run([*store, "manifest", "add", "base", committed])
    for reference in _BASES:
        target = f"docker://{registry.address}/library/{reference}"
        _run([*store, "manifest", "push", "--all", "--tls-verify=false", "base", target])


def _mirror() -> list[str]:
    """Where this machine has Debian's packages from."""
    sources = "".join(path.read_text() for path in Path("/etc/apt/sources.list.d").glob("*.sources"))
    return [line.partition(" ")[2] for line in sources.splitlines() if line.startswith("URIs: ")][:1]


def _pin(folder: Path, environment: Mapping[str, str]) -> Path:
    """Make a checkout with the wheel, whose lock has the bases of that registry and whose files are pinned to them."""
    checkout = folder / "checkout"
    _run(["git", "clone", "--quiet", str(_CHECKOUT), str(checkout)])
    _run([sys.executable, "-m", "build", "--wheel"], environment, checkout)
    before = (checkout / "Dockerfile").read_text()
    for command in (["update"], ["render"], ["check"], ["verify"]):
        _run([sys.executable, "-m", "imagelock", *command], environment, checkout)
    assert (checkout / "Dockerfile").read_text() != before
    return checkout


def _use(folder: Path, store: list[str], image: str) -> None:
    """Run the image on projects that another user owns: in a git repository, and without git."""
    details = json.loads(_run([*store, "inspect", "--type=image", image]))["OCIv1"]["config"]
    assert (details["Entrypoint"], details["User"], details["WorkingDir"]) == (["imagelock"], "65532:65532", "/work")
    project = folder / "project"
    project.mkdir()
    subprocess.run(["cp", "-R", str(_CHECKOUT / "demo/layout"), str(project)], check=True)
    for name, text in _PROJECT.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    for command in ("lock", "render"):
        _run([sys.executable, "-m", "imagelock", command], os.environ, project)
    container = _run([*store, "from", "--pull-never", image]).strip()

    def imagelock(*arguments: str) -> None:
        run = [*store, "run", "--isolation=chroot", f"--volume={project}:/work", container]
        _run([*run, "--", *details["Entrypoint"], *arguments])

    imagelock("--version")
    imagelock("check")
    _run(["git", "init", "--quiet"], os.environ, project)
    _run(["git", "add", "--all"], os.environ, project)
    _run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "a"], os.environ, project)
    imagelock("check", "--all")
    imagelock("diff", "HEAD")


def _run(command: list[str], environment: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    print("$", *command)
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if "imagelock" in command:
        print(done.stdout + done.stderr)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
