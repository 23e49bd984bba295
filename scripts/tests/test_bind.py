# SPDX-License-Identifier: GPL-2.0-only
"""vfio-bind.sh and vfio-restore.sh put devices back, whatever happens.

Devices are a tree of plain files, and "tee", which the scripts write to sysfs with, is
one that does what the kernel would do. What that cannot show, the guests do: that a real
kernel takes the writes, in this order, and under busybox ash.
"""
import os
import signal

import pytest
from stand_ins import TOP, one_line, program, run, running, start, wait_for

A, B, C = "0000:01:00.0", "0000:01:00.1", "0000:02:00.0"
BIND = TOP / "scripts/vfio-bind.sh"
RESTORE = TOP / "scripts/vfio-restore.sh"

# A file refuse-DRIVER-BDF makes the driver refuse.
KERNEL = """#!/bin/sh
read -r value
bus=$SYSFS/bus/pci
refuse() { echo "tee: $1: $2" >&2; exit 1; }
echo "${1#"$bus/"} $value" >>"$SYSFS/log"
case $1 in
*/driver_override)
	echo "${value:-(null)}" >"$1" ;;
*/unbind)
	[ -L "$bus/devices/$value/driver" ] || refuse "$1" "No such device"
	rm "$bus/devices/$value/driver" ;;
*/bind)
	driver=${1%/bind}
	[ ! -e "$SYSFS/refuse-${driver##*/}-$value" ] || refuse "$1" "Invalid argument"
	[ ! -L "$bus/devices/$value/driver" ] || refuse "$1" "Device or resource busy"
	case $(cat "$bus/devices/$value/driver_override") in
	"(null)" | "${driver##*/}") ;;
	*) refuse "$1" "No such device" ;;
	esac
	ln -s "$driver" "$bus/devices/$value/driver" ;;
esac
"""


class Host:
    """Three devices: A on nvme, its sibling B on e1000e, C without a driver."""

    def __init__(self, path):
        self.sys = path / "sys"
        self.memory = path / "vfio-pci-subpage-bindings"
        self.around = {"bin_dir": path / "bin", "SYSFS": self.sys, "TMPDIR": path}
        self.drivers = self.sys / "bus/pci/drivers"
        program(path / "bin/tee", KERNEL)
        for driver in ("nvme", "e1000e", "pcieport", "vfio-pci", "mlx5-vfio-pci"):
            (self.drivers / driver).mkdir(parents=True)
            for name in ("bind", "unbind"):
                (self.drivers / driver / name).touch()
        self._device("0000:00:1c.0", 1, "0x060400", "pcieport")
        self._device(A, 1, "0x010802", "nvme")
        self._device(B, 1, "0x020000", "e1000e")
        self._device(C, 2, "0x020000", None)
        (self._path(C) / "driver_override").write_text("own-override\n")
        self.original = self.state()

    def _path(self, bdf):
        return self.sys / "bus/pci/devices" / bdf

    def _device(self, bdf, group, number, driver):
        path, group = self._path(bdf), self.sys / f"kernel/iommu_groups/{group}"
        path.mkdir(parents=True)
        (group / "devices").mkdir(parents=True, exist_ok=True)
        (path / "driver_override").write_text("(null)\n")
        (path / "class").write_text(number + "\n")
        (path / "iommu_group").symlink_to(group)
        (group / "devices" / bdf).symlink_to(path)
        if driver:
            (path / "driver").symlink_to(self.drivers / driver)

    def driver(self, bdf):
        """Its name, or None."""
        link = self._path(bdf) / "driver"
        return os.readlink(link).rsplit("/", maxsplit=1)[-1] if link.is_symlink() else None

    def state(self):
        """Drivers and overrides of all three."""
        return {bdf: (self.driver(bdf), (self._path(bdf) / "driver_override").read_text())
                for bdf in (A, B, C)}

    def refuse(self, driver, bdf):
        """The file that makes it refuse."""
        return self.sys / f"refuse-{driver}-{bdf}"

    def bind(self, *words):
        """vfio-bind.sh with these arguments."""
        return run(BIND, *words, **self.around)

    def restore(self, *words):
        """vfio-restore.sh with these arguments."""
        return run(RESTORE, *words, **self.around)

    def is_original(self):
        """As it was, with nothing remembered."""
        return self.state() == self.original and not self.memory.exists()


@pytest.fixture(name="host")
def _host(tmp_path):
    return Host(tmp_path)


@pytest.mark.parametrize("status, words, said", [
    (2, [], "usage"),
    (2, ["vfio-pci", A, "--"], "usage"),
    (1, ["vfio-pci", "eth0"], "eth0: not a PCI address"),
    (1, ["vfio-pci", A, "0000:09:00.0"], "0000:09:00.0: no such PCI device"),
    (1, ["../vfio-pci", A], "not a driver name"),
    (1, ["vfio-none", A], "vfio-none: driver is not loaded"),
])
def test_wrong_use_touches_nothing(host, status, words, said):
    one_line(host.bind(*words), status, said)
    assert not (host.sys / "log").exists()


def test_memory_of_somebody_else_is_not_believed(host):
    host.memory.symlink_to("/")
    one_line(host.bind("vfio-pci", A), 1, "belongs to somebody else")
    assert not (host.sys / "log").exists()


def test_bind_and_restore(host):
    one_line(host.bind("vfio-pci", A, C), 0, f"{A}: its IOMMU group", f"{B} (e1000e)")
    assert [host.driver(bdf) for bdf in (A, B, C)] == ["vfio-pci", "e1000e", "vfio-pci"]
    # To another driver, without the domain, and now a whole group.
    assert not host.bind("mlx5-vfio-pci", A, B.removeprefix("0000:")).stderr
    assert [host.driver(bdf) for bdf in (A, B)] == ["mlx5-vfio-pci"] * 2
    # Back to what it had, which is not the first driver.
    host.bind("vfio-pci", A, "--", "true")
    assert host.driver(A) == "mlx5-vfio-pci"
    host.restore(A)
    assert [host.driver(bdf) for bdf in (A, B)] == ["nvme", "mlx5-vfio-pci"]
    host.restore()
    assert host.is_original()


def test_memory_of_an_earlier_boot_is_not_used(host):
    host.bind("vfio-pci", A, B)
    (host.memory / B / "boot_id").write_text("earlier\n")
    one_line(host.restore(B), 1, f"{B}: nothing remembered")
    assert host.driver(B) == "vfio-pci"


def test_restore_can_be_tried_again(host):
    host.bind("vfio-pci", A)
    (host.drivers / "nvme").rename(host.sys / "gone")
    one_line(host.restore(), 1, A, "nvme is not loaded: modprobe nvme")
    (host.sys / "gone").rename(host.drivers / "nvme")
    host.restore()
    assert host.is_original()


def test_a_refusal_puts_all_back(host):
    host.refuse("vfio-pci", C).touch()
    one_line(host.bind("vfio-pci", A, B, C), 1,
             f"{C}: vfio-pci refused it (Invalid argument)", "dmesg")
    assert host.is_original()


def test_a_device_in_use_is_left_alone(host, tmp_path):
    """The kernel would wait for the process, and this with it."""
    host.bind("vfio-pci", A)
    before = host.state()
    for process, file in ((7, "/dev/null"), (8, "/dev/vfio/1")):
        (tmp_path / f"proc/{process}/fd").mkdir(parents=True)
        (tmp_path / f"proc/{process}/fd/3").symlink_to(file)
    host.around["PROCFS"] = tmp_path / "proc"
    one_line(host.bind("nvme", A), 1, f"{A}: process 8 uses it", "end that first")
    assert host.state() == before
    # Of another group
    assert host.bind("vfio-pci", C).returncode == 0


def test_what_cannot_be_put_back_stays_remembered(host):
    host.refuse("vfio-pci", C).touch()
    host.refuse("nvme", A).touch()
    assert host.bind("vfio-pci", A, C).returncode == 1
    assert (host.memory / A).is_dir()
    host.refuse("nvme", A).unlink()
    host.restore()
    assert host.is_original()


def test_a_command_sees_the_device_and_its_exit_code_counts(host):
    done = host.bind("vfio-pci", A, "--", "sh", "-c",
                     'readlink "$SYSFS/bus/pci/devices/$0/driver"; exit 7', A)
    assert done.returncode == 7
    assert done.stdout.endswith("/vfio-pci\n")
    assert host.is_original()


def test_no_such_command(host):
    assert host.bind("vfio-pci", A, "--", "/nonexistent").returncode == 127
    assert host.is_original()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_a_signal_puts_back(host, tmp_path, number):
    started = tmp_path / "started"
    binder = start(BIND, "vfio-pci", A, C, "--", "sh", "-c", 'echo $$ >"$0"; exec sleep 60',
                   started, **host.around)
    wait_for(lambda: started.exists() and started.read_text())
    assert [host.driver(bdf) for bdf in (A, C)] == ["vfio-pci"] * 2
    binder.send_signal(number)
    assert binder.wait(30) == 128 + number
    assert not running(int(started.read_text()))
    assert host.is_original()
