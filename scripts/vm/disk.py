# SPDX-License-Identifier: GPL-2.0-only
"""A disk image with a system of its own: what it says is to be booted, and how."""
import os
import re
import subprocess

# The disk's only file system, as it is without a table of partitions.
# An emulated CPU leaks nothing, and what would mitigate that takes time.
APPEND = "root=/dev/vda rw mitigations=off"


class DiskError(Exception):
    """An image that nothing can be booted from; the message names it."""


def qemu_args(image, bus):
    """The disk for QEMU; nobody minds what is lost when this machine dies."""
    return ["-drive", f"if=none,id=disk,file={image},format=raw,cache=unsafe",
            "-device", f"virtio-blk-pci,drive=disk,bus={bus},addr=3"]


def extract(image, directory):
    """Copy what /vmlinuz and /initrd.img of the image lead to into a directory, without
    mounting it, as a boot loader does. Returns their paths."""
    paths = []
    for name in ("vmlinuz", "initrd.img"):
        target = re.search(r'link dest: "(.*)"', _debugfs(image, f"stat /{name}"))
        path = os.path.join(directory, name)
        if target:
            _debugfs(image, f"dump /{target[1]} {path}")
        if not target or not os.path.exists(path):
            raise DiskError(f"{image}: has no /{name} that leads to a file: make it anew with "
                            "scripts/build/host-image.sh")
        paths.append(path)
    return paths


def _debugfs(image, request):
    if not os.path.exists(image):
        raise DiskError(f"{image}: does not exist: make it with scripts/build/host-image.sh")
    # Where it is is not in the PATH of an ordinary user.
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return subprocess.run(["debugfs", "-R", request, image], env={**os.environ, "PATH": path},
                          capture_output=True, text=True, errors="replace", check=False).stdout
