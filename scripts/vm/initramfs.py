# SPDX-License-Identifier: GPL-2.0-only
"""The guest's root file system: busybox, kernel modules, and what is to be run."""
import os
import re
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))

# What the guest needs of the kernel's own modules; modprobe adds what these
# need, and to vfio its module for the architecture's IOMMUs.
MODULES = ("vfio-pci", "9p", "9pnet_virtio", "virtio_pci")

# Those that a kernel may do without: native drivers that tests bind back to, and KVM,
# for a guest inside the guest.
OPTIONAL_MODULES = ("sdhci-pci", "mmc_block", "8139cp", "nvme", "virtio_blk", "kvm-amd",
                    "kvm-intel")

# Distributions pack modules differently; busybox and kernel need not know how.
UNPACKERS = {".xz": "xz", ".zst": "zstd", ".gz": "gzip"}

# Those of the host's scripts that are made to run in the guest too.
HOST_SCRIPTS = ("vfio-bind.sh", "vfio-restore.sh", "lib.sh", "bindings.sh")


class ImageError(Exception):
    """The image cannot be made; the message says what is missing."""


def _modules(kernel, release):
    """Paths of the wanted modules below the kernel's directory."""
    wanted = []
    for name in MODULES + OPTIONAL_MODULES:
        done = subprocess.run(["modprobe", "-d", kernel, "-S", release,
                               "--show-depends", name],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            if name in OPTIONAL_MODULES:
                continue
            raise ImageError(f"{kernel}: no module {name}: {done.stderr.strip()}")
        for line in done.stdout.splitlines():
            kind, *rest = line.split()
            # The other kind is "builtin".
            if kind == "insmod" and rest[0] not in wanted:
                wanted.append(rest[0])
    return wanted


def _install_module(path, kernel, root):
    target = os.path.join(root, os.path.relpath(path, kernel))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    plain, suffix = os.path.splitext(target)
    if suffix not in UNPACKERS:
        shutil.copy(path, target)
        return
    try:
        with open(plain, "wb") as file:
            subprocess.run([UNPACKERS[suffix], "-dc", path], stdout=file, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ImageError(f"{path}: cannot be unpacked: install {UNPACKERS[suffix]}") from error


def _elf(path):
    """The loader and the libraries that an ELF file names itself."""
    done = subprocess.run(["readelf", "-W", "-l", "-d", path], capture_output=True,
                          text=True, check=False)
    loader = re.findall(r"program interpreter: (\S+)\]", done.stdout)
    return loader, re.findall(r"\(NEEDED\).*\[(.*)\]", done.stdout)


def _find_library(name, sysroot, triplet):
    for place in ("lib", "usr/lib", "usr/local/lib"):
        for below in (triplet, ""):
            path = os.path.join("/", place, below, name)
            if os.path.exists(sysroot + path):
                return path
    raise ImageError(f"{name}: not found below {sysroot or '/'}; install the library")


def _libraries(program, sysroot):
    """Shared libraries that a program needs, and its loader, as the guest sees
    them. Not with ldd, which runs what it looks at."""
    found = []
    todo = [program]
    triplet = ""
    while todo:
        loader, names = _elf(todo.pop())
        if loader:
            # The loader is a link to where the architecture's libraries are.
            triplet = os.path.basename(os.path.dirname(os.path.realpath(sysroot + loader[0])))
            names.append(None)
        for name in names:
            path = loader[0] if name is None else _find_library(name, sysroot, triplet)
            if path not in found:
                found.append(path)
                todo.append(sysroot + path)
    return found


def _install_program(program, target, root, sysroot):
    """Copy a program and the libraries that it needs."""
    shutil.copy(program, target)
    for library in _libraries(program, sysroot):
        copy = os.path.join(root, library.lstrip("/"))
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copy(sysroot + library, copy)


def _install_suite(programs, root, sysroot):
    for program in programs:
        target = os.path.join(root, "suite", os.path.basename(program))
        if os.path.isdir(program):
            shutil.copytree(program, target)
        else:
            _install_program(program, target, root, sysroot)


def _busybox(sysroot):
    if sysroot:
        return sysroot + "/bin/busybox"
    return shutil.which("busybox")


def _install_tables(tables, root):
    """Where the kernel looks for ACPI tables (CONFIG_ACPI_TABLE_UPGRADE) before it can
    unpack anything: the image has to be a plain archive, and their names short."""
    target = os.path.join(root, "kernel/firmware/acpi")
    os.makedirs(target)
    if not shutil.which("iasl"):
        raise ImageError("iasl: not found; install the package acpica-tools")
    for number, table in enumerate(tables):
        done = subprocess.run(["iasl", "-p", os.path.join(target, str(number)), table],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImageError(f"{table}: iasl refuses it:\n{done.stderr}{done.stdout}")


def build(image, kernel, modules, programs, sysroot="/", tables=()):
    """Write the image.

    image: file to write; kernel: directory with release and modules (from
    fetch-kernel.sh); modules: more .ko files, put into the guest's module
    tree; programs: files and directories that the guest finds in /suite;
    sysroot: where busybox and the libraries come from; tables: sources of ACPI
    tables that the kernel shall add.
    """
    sysroot = sysroot.rstrip("/")
    with open(os.path.join(kernel, "release"), encoding="utf-8") as file:
        release = file.read().strip()
    root = image + ".root"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "dev", "proc", "sys", "tmp", "share", "scripts", "suite", "etc"):
        os.makedirs(os.path.join(root, name))

    busybox = _busybox(sysroot)
    if not busybox:
        raise ImageError("busybox: not found; install the package busybox")
    _install_program(busybox, os.path.join(root, "bin/busybox"), root, sysroot)
    os.symlink("busybox", os.path.join(root, "bin/sh"))
    shutil.copytree(os.path.join(HERE, "guest"), os.path.join(root, "guest"))
    shutil.copy(os.path.join(HERE, "guest/init"), os.path.join(root, "init"))
    shutil.copy(os.path.join(HERE, "../tests/ktap.sh"), os.path.join(root, "guest"))
    for script in HOST_SCRIPTS:
        shutil.copy(os.path.join(HERE, "..", script), os.path.join(root, "scripts", script))

    tree = os.path.join(root, "lib/modules", release)
    for path in _modules(kernel, release):
        _install_module(path, kernel, root)
    os.makedirs(os.path.join(tree, "updates"), exist_ok=True)
    for path in modules:
        shutil.copy(path, os.path.join(tree, "updates"))
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(os.path.join(kernel, "modules", name), tree)
    subprocess.run(["depmod", "-b", root, release], check=True)

    _install_suite(programs, root, sysroot)
    if tables:
        _install_tables(tables, root)
    with open(image, "wb") as file:
        names = subprocess.run(["find", "."], cwd=root, check=True,
                               stdout=subprocess.PIPE).stdout
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=root,
                       input=names, stdout=file, check=True)
    shutil.rmtree(root)
