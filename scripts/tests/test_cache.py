# SPDX-License-Identifier: GPL-2.0-only
"""The cache holds what is whole, whatever happened to the run that fetched it.

apt and mmdebstrap are stand-ins, that have a package of a few files: no network.
"""
import pathlib
import signal
import subprocess

import pytest
from stand_ins import TOP, one_line, program, run, start, wait_for

SOURCE = TOP / "scripts/build/fetch-source.sh"
SYSROOT = TOP / "scripts/build/fetch-sysroot.sh"

pytestmark = pytest.mark.skipif(
    not any(pathlib.Path("/var/lib/apt/lists").glob("*_Packages*")),
    reason="apt has no package lists here: run apt-get update")

# With a file "offline" beside them it reaches nothing.
APT_GET = """#!/bin/sh
echo "apt-get $*" >>"$HERE/asked"
case "$*" in
indextargets*) echo "Debian [@] deb http://mirror.example/ bookworm main" ;;
*) [ ! -e "$HERE/offline" ] || { echo "E: no network" >&2; exit 100; } ;;
esac
case "$*" in
*download*) cp "$HERE"/*.deb . ;;
esac
"""
APT_CACHE = """#!/bin/sh
printf '%s\\n' "Package: $3" "Version: 6.12.9-1" "Architecture: all" "Size: 5" "Installed-Size: 9"
"""
APT_CONFIG = """#!/bin/sh
echo 'Acquire::http::Proxy "http://proxy.example:1";'
"""
# Its directory is the one before the last argument; it takes a while.
MMDEBSTRAP = """#!/bin/sh
echo "$*" >>"$HERE/mmdebstrap"
cat >"$HERE/sources"
for word; do
	case $word in
	--aptopt=*) cp "${word#*=}" "$HERE/apt.conf" ;;
	*/entry) mkdir -p "$word/usr/lib" "$word/etc" && ln -s /lib/a.so "$word/usr/lib/a.so" ;;
	esac
done
[ ! -e "$HERE/offline" ] || exit 1
exec sleep 1
"""


def words_of(array):
    """What fetch-source.sh has in it."""
    return subprocess.run(
        ["bash", "-c", f"""eval "$(sed -n '/^{array}=(/,/^)/p' {SOURCE})"
         printf '%s\\n' "${{{array}[@]}}" """],
        check=True, text=True, capture_output=True).stdout.split()


class Archive:
    """One of Debian's, and a cache."""

    def __init__(self, path):
        self.path = path
        self.cache = path / "cache/vfio-pci-subpage"
        self.entry = self.cache / "source-6.12.9-1"
        self.around = {"bin_dir": path / "bin", "HERE": path, "XDG_CACHE_HOME": path / "cache"}
        for name, text in (("apt-get", APT_GET), ("apt-cache", APT_CACHE),
                           ("apt-config", APT_CONFIG), ("mmdebstrap", MMDEBSTRAP),
                           ("sudo", "#!/bin/sh\nexit 1\n")):
            program(path / "bin" / name, text)

    def pack(self):
        """The package of the source."""
        tree, root = self.path / "linux-source-6.12", self.path / "root"
        files = subprocess.run(
            ["bash", "-c", f"""eval "$(sed -n '/^source_[a-z]*=(/,/^)/p' {SOURCE})"
             printf '%s\n' "${{source_files[@]}}" "${{source_parts[@]}}" """],
            check=True, text=True, capture_output=True).stdout.split()
        for file in (tree / name for name in files if "*" not in name):
            if not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("text\n")
        (root / "usr/src").mkdir(parents=True)
        (root / "DEBIAN").mkdir()
        (root / "DEBIAN/control").write_text(
            "Package: linux-source-6.12\nVersion: 6.12.9-1\nArchitecture: all\n"
            "Maintainer: Nobody <nobody@example.org>\nDescription: few files\n")
        subprocess.run(["tar", "-C", self.path, "-cJf", root / "usr/src/linux-source-6.12.tar.xz",
                        tree.name], check=True)
        subprocess.run(["dpkg-deb", "--build", root,
                        self.path / "linux-source-6.12_6.12.9-1_all.deb"],
                       check=True, stdout=subprocess.DEVNULL)

    def offline(self):
        """There is no network from now on."""
        (self.path / "offline").touch()

    def fetch(self):
        """fetch-source.sh"""
        return run(SOURCE, "6.12", **self.around)

    def entries(self):
        """What would be taken for one, or for half of one."""
        return [path.name for path in self.cache.iterdir()
                if path.is_dir() and path.name != "packages"]


@pytest.fixture(name="archive")
def _archive(tmp_path):
    return Archive(tmp_path)


@pytest.fixture(name="source")
def _source(archive):
    archive.pack()
    return archive


def test_a_source_is_fetched_once(source):
    assert source.fetch().stdout == f"{source.entry}\n"
    assert (source.entry / "tools/testing/selftests/lib.mk").read_text() == "text\n"
    (source.path / "asked").unlink()
    again = source.fetch()
    assert (again.stdout, again.stderr) == (f"{source.entry}\n", "")
    assert not (source.path / "asked").exists()


def test_what_an_interrupted_run_left_is_made_again(source):
    source.entry.mkdir(parents=True)
    (source.entry / "junk").touch()
    (source.cache / ".source-6.12.tmp.1/entry").mkdir(parents=True)
    assert source.fetch().returncode == 0
    assert not (source.entry / "junk").exists()
    assert source.entries() == [source.entry.name]


def test_no_space(source):
    program(source.path / "bin/df", "#!/bin/sh\necho header; echo x 1 1 1024 1% /\n")
    one_line(source.fetch(), 1, f"{source.cache}: ", " MiB needed, 1 MiB free")
    assert source.entries() == []


def test_a_failed_download_leaves_nothing_half(source):
    source.offline()
    done = source.fetch()
    assert done.returncode == 1
    assert "check the network" in done.stderr.splitlines()[-1]
    assert source.entries() == []


def test_without_network_an_older_entry_will_do(source):
    assert source.fetch().returncode == 0
    source.entry.rename(source.cache / "source-6.12.8-1")
    next((source.cache / "packages").iterdir()).unlink()
    source.offline()
    assert source.fetch().stdout == f"{source.cache}/source-6.12.8-1\n"


def test_a_damaged_package_is_named(source):
    deb = next(source.path.glob("*.deb"))
    deb.write_bytes(deb.read_bytes()[:300])
    done = source.fetch()
    assert done.returncode == 1
    assert f"{source.cache}/packages/{deb.name}: " in done.stderr.splitlines()[-1]
    assert "remove it" in done.stderr
    assert source.entries() == []


def test_two_at_once_fetch_one_sysroot(archive):
    runs = [start(SYSROOT, "arm64", **archive.around) for _ in range(2)]
    outputs = [one.communicate(timeout=30)[0] for one in runs]
    assert [one.returncode for one in runs] == [0, 0]
    assert all(text.endswith(f"{archive.cache}/sysroot-arm64\n") for text in outputs)
    assert sum("waiting for another run" in text for text in outputs) == 1
    assert len((archive.path / "mmdebstrap").read_text().splitlines()) == 1
    assert archive.entries() == ["sysroot-arm64"]


def test_a_sysroot_comes_from_where_this_machine_gets_its_packages(archive):
    assert run(SYSROOT, "arm64", **archive.around).returncode == 0
    assert (archive.path / "sources").read_text() == "deb http://mirror.example/ bookworm main\n"
    assert "proxy.example" in (archive.path / "apt.conf").read_text()
    # Links do not lead out of it.
    link = archive.cache / "sysroot-arm64/usr/lib/a.so"
    assert str(link.readlink()) == "../../lib/a.so"


def test_a_sysroot_that_fails_leaves_nothing_half(archive):
    archive.offline()
    done = run(SYSROOT, "arm64", **archive.around)
    assert done.returncode == 1
    assert "check the network" in done.stderr.splitlines()[-1]
    assert archive.entries() == []


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_half(archive, number):
    one = start(SYSROOT, "arm64", **archive.around)
    wait_for((archive.path / "mmdebstrap").exists)
    one.send_signal(number)
    one.communicate(timeout=30)
    assert one.returncode == 128 + number
    assert archive.entries() == []
