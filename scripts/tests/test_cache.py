# SPDX-License-Identifier: GPL-2.0-only
"""The cache holds what is whole, whatever happened to the run that fetched it.

apt and mmdebstrap are stand-ins, that have a package of a few files: no network.
"""
import os
import signal
import subprocess

import pytest
from stand_ins import TOP, program, run, start, wait_for

SOURCE = TOP / "scripts/build/fetch-source.sh"
KERNEL = TOP / "scripts/build/fetch-kernel.sh"
SYSROOT = TOP / "scripts/build/fetch-sysroot.sh"

# With a file "offline" beside them it reaches nothing. It knows the archive of a release,
# and of its security updates, of which it has all suites.
APT_GET = """#!/bin/sh
echo "apt-get $*" >>"$HERE/asked"
case "$*" in
-qq*update) rm "$HERE/nolists" ;;
esac
case "$*" in
indextargets*) [ ! -e "$HERE/nolists" ] || exit 0 ;;
esac
case "$*" in
indextargets*'$(RELEASE)'*) for s in bookworm bookworm-security bookworm-updates; do echo "Debian [@] $s"; done ;;
indextargets*) echo "Debian [@] Debian http://mirror.example/"
	       echo "Debian [@] Debian-Security http://mirror.example/security" ;;
*) [ ! -e "$HERE/offline" ] || { echo "E: no network" >&2; exit 100; } ;;
esac
case "$*" in
*--error-on=any*update*) cp "$APT_CONFIG" "$HERE/apt.conf"; cp "$(dirname "$APT_CONFIG")/sources.list" "$HERE/sources"
	if grep -q 'arch=ppc64el .* trixie' "$HERE/sources"; then
		echo "Err:5 http://mirror.example trixie/main ppc64el Packages"; exit 100
	elif grep -q ' forky ' "$HERE/sources"; then
		echo "Err:5 http://mirror.example forky/main all Packages"; exit 100
	fi ;;
*download*)
	[ ! -e "$HERE/lost" ] || case $APT_CONFIG in
	*/"$(cat "$HERE/lost")"-*) echo "E: Failed to fetch" >&2; exit 100 ;;
	esac
	cp "$HERE"/*.deb . ;;
esac
"""
# What a file says that is called like the package.
APT_CACHE = """#!/bin/sh
shift 2
for package; do cat "$HERE/stanzas/${package%:*}" 2>/dev/null && echo; done
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

    def knows(self, name, version="6.12.9-1", depends=None, arch="all"):
        """A package, to apt."""
        path = self.path / "stanzas" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\nSize: 5\n"
            "Installed-Size: 9\n" + (f"Depends: {depends}\n" if depends else ""))

    def pack(self):
        """The package of the source."""
        self.knows("linux-source-6.12")
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
                if path.is_dir() and path.name not in ("packages", "apt")]


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


def test_a_machine_that_has_no_package_lists_yet(source):
    program(source.path / "bin/sudo", "#!/bin/sh\nshift\nexec \"$@\"\n")
    (source.path / "nolists").touch()
    done = source.fetch()
    assert done.stdout == f"{source.entry}\n"
    assert done.stderr.count("refreshing the package lists") == 1


def test_what_an_interrupted_run_left_is_made_again(source):
    source.entry.mkdir(parents=True)
    (source.entry / "junk").touch()
    (source.cache / ".source.tmp.1/entry").mkdir(parents=True)
    assert source.fetch().returncode == 0
    assert not (source.entry / "junk").exists()
    assert source.entries() == [source.entry.name]


def test_no_space(source):
    program(source.path / "bin/df", "#!/bin/sh\necho header; echo x 1 1 1024 1% /\n")
    done = source.fetch()
    assert done.returncode == 1
    assert f"{source.cache}: 33 MiB needed, 1 MiB free" in done.stderr.splitlines()[-1]
    assert source.entries() == []


def test_a_failed_download_leaves_nothing_half(source):
    source.offline()
    done = source.fetch()
    assert done.returncode == 1
    assert "check the network" in done.stderr.splitlines()[-1]
    assert source.entries() == []


def test_a_package_that_a_suite_lists_and_lacks(source):
    """It comes from the next suite."""
    (source.path / "lost").write_text("bookworm-security")
    result = source.fetch()
    assert "download failed (Failed to fetch)" in result.stderr, result.stderr
    assert result.returncode == 0 and source.entry.is_dir()


def test_without_network_an_older_entry_will_do(source):
    assert source.fetch().returncode == 0
    os.utime(source.cache / "source-6.12.manifest", (0, 0))
    source.knows("linux-source-6.12", "6.12.10-1")
    source.offline()
    done = source.fetch()
    assert done.stdout == f"{source.entry}\n"
    assert "using source-6.12.9-1 from the cache" in done.stderr


def test_a_series_is_the_newest_of_those(archive):
    archive.knows("linux-source", depends="linux-source-7.9 (= 7.9.1-1)")
    archive.knows("linux-source-7.9", "7.9.1-1")
    assert "downloading 1 MiB: linux-source-7.9\n" in run(SOURCE, "7", **archive.around).stderr


def test_a_series_that_no_suite_has(archive):
    done = run(SOURCE, "5.10", **archive.around)
    assert done.returncode == 1
    assert "source 5.10: not to be had for " in done.stderr.splitlines()[-1]
    assert archive.entries() == []


def test_an_architecture_that_the_archive_lacks_is_left_out(archive):
    done = run("bash", "-ec", """. scripts/lib.sh; . scripts/build/cache.sh
        . scripts/build/apt.sh; cache=$(cache_dir)
        apt_state trixie ppc64el; apt_state trixie ppc64el""", **archive.around)
    assert done.returncode == 0
    assert "ppc64el" not in (archive.path / "sources").read_text()
    # Asked for once.
    assert done.stderr.count("fetching") == 1


def test_a_suite_that_is_never_whole(archive):
    done = run("bash", "-c", """. scripts/lib.sh; . scripts/build/cache.sh
        . scripts/build/apt.sh; apt_state forky ppc64el; echo "$? $cause" """, **archive.around)
    assert done.stdout == "1 forky: E: no answer\n"


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
    assert "] http://mirror.example/ bookworm main\n" in (archive.path / "sources").read_text()
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


RELEASE = "7.9.1-amd64"
HEADERS = f"usr/src/linux-headers-{RELEASE}"
# As they are since 7.3, and before: what a package depends on of the others, its files.
NEW = {
    f"linux-image-{RELEASE}": (
        f"linux-base-{RELEASE} (= 7.9.1-1), linux-binary-{RELEASE}, linux-modules-{RELEASE}", ()),
    f"linux-base-{RELEASE}": ("", (f"usr/lib/modules/{RELEASE}/modules.builtin",)),
    f"linux-binary-{RELEASE}": ("", (f"usr/lib/modules/{RELEASE}/vmlinuz",)),
    f"linux-modules-{RELEASE}": ("", (f"usr/lib/modules/{RELEASE}/kernel/a.ko",)),
}
OLD = {
    f"linux-image-{RELEASE}": (f"kmod | linux-image-{RELEASE}-unsigned", (
        f"boot/vmlinuz-{RELEASE}", f"lib/modules/{RELEASE}/modules.builtin",
        f"lib/modules/{RELEASE}/kernel/a.ko")),
}
BOTH = {
    f"linux-headers-{RELEASE}": ("gcc-14, linux-headers-7.9.1-common, linux-kbuild-7.9.1", (
        f"{HEADERS}/Module.symvers", f"{HEADERS}/.config", f"{HEADERS}/vmlinux",
        f"{HEADERS}/include/generated/autoconf.h")),
    "linux-headers-7.9.1-common": ("", ("usr/src/linux-headers-7.9.1-common/Makefile",)),
    "linux-kbuild-7.9.1": ("", (f"{HEADERS}/scripts/mod/modpost",)),
}


@pytest.fixture(name="flavour", params=[NEW, OLD], ids=["new", "old"])
def _flavour(archive, request):
    archive.knows("linux-image-amd64", depends=f"linux-base-amd64, linux-image-{RELEASE} (= 7.9.1-1)")
    archive.knows("linux-headers-amd64", depends=f"linux-headers-{RELEASE} (= 7.9.1-1)")
    archive.knows(f"linux-image-{RELEASE}-unsigned")
    for name, (depends, files) in {**request.param, **BOTH}.items():
        arch = "all" if name.endswith("-common") else "amd64"
        archive.knows(name, "7.9.1-1", depends, arch)
        root = archive.path / "debs" / name
        for file in files:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text("kernelversion:\n" if file.endswith("Makefile") else "text\n")
        if name == f"linux-headers-{RELEASE}":
            (root / HEADERS / "Makefile").write_text(
                "include /usr/src/linux-headers-7.9.1-common/Makefile\n")
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: 7.9.1-1\nArchitecture: {arch}\n"
            "Maintainer: Nobody <nobody@example.org>\nDescription: few files\n")
        subprocess.run(["dpkg-deb", "-Znone", "--build", root,
                        archive.path / f"{name}_7.9.1-1_{arch}.deb"],
                       check=True, stdout=subprocess.DEVNULL)
    return archive


def test_packages_of_a_kernel_are_called_differently(flavour):
    done = run(KERNEL, "x86_64-4k-7", **flavour.around)
    entry = flavour.cache / "kernel-amd64-7.9.1-1"
    assert done.stdout == f"{entry}\n"
    assert "unsigned" not in done.stderr
    for name in ("vmlinuz", "modules/kernel/a.ko", "build/Module.symvers"):
        assert (entry / name).read_text() == "text\n"
    assert (entry / "release").read_text() == f"{RELEASE}\n"
    assert not (entry / "build/vmlinux").exists()
    # It can be moved.
    entry.rename(flavour.path / "moved")
    assert run("make", "-s", "-C", flavour.path / "moved/build", "kernelversion").returncode == 0


def test_a_kernel_that_no_suite_has(archive):
    done = run(KERNEL, "arm64-16k-stock", **archive.around)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "fetch-kernel.sh: kernel arm64-16k-stock: not to be had for arm64 from trixie-security "
        "trixie: check the network and apt's sources")
    assert archive.entries() == []
