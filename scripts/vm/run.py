#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run a job in the reference VM.

The stages are those of any such runner: make the image, boot, watch, judge.
The guest leaves ktap.log, dmesg.log and what else its job writes in --share,
which is a directory of the host.

Exit code: 0 the job succeeded; 1 it failed or the guest's kernel complained;
2 wrong use or something is missing; 3 the job did not come to its end, as the
guest hung, died or never booted. One that does not come to its init is booted once
more, which is said; what goes wrong later is not repeated.
"""
import argparse
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

import disk
import initramfs
import qemu
import topology

# What a kernel prints when something is wrong with it.
COMPLAINTS = re.compile(
    r"WARNING: |BUG: |Oops|Kernel panic|general protection fault|Call Trace:"
    r"|possible (?:circular|recursive) locking|inconsistent lock state"
    r"|suspicious RCU usage|sleeping function called from|unreferenced object"
    r"|refcount_t: |UBSAN: |KASAN: |rcu_.*detected stalls"
    r"|int3: |INFO: task .* blocked for more than|nobody cared|trying to register non-static key"
    # It looks for nothing from then on.
    r"|leak detector disabled|turning off the locking correctness validator")

LAST_LINES = 25

# What the guest itself leaves, beside what its job does.
GUEST_FILES = ("ktap.log", "dmesg.log", "leaks.log", "lost-boot.log", "exit-status")


def say(text):
    """A line for the person who waits."""
    print(f"vm: {text}", file=sys.stderr, flush=True)


def whole_request(text):
    """(reply, words) of a request in a line of the console, or None: the kernel may have
    said something in the middle of it. The guest says how long it is, and asks again."""
    match = re.search(r"@@host (\S+) (\d+) (.*)", text)
    if not match or len(match[3]) != int(match[2]):
        return None
    return match[1], match[3].split()


class Guest:
    """A booted guest: its console, its requests, its end."""

    def __init__(self, process, qmp, share, devices):
        self.process = process
        self.qmp = qmp
        self.share = share
        self.devices = devices
        self.booted = False
        self.lines = []
        self.answered = set()

    def watch(self, boot_limit, limit):
        """Serve the guest until it ends. False if it has not come to its init in so many
        seconds, or has not ended in so many after that."""
        console = self.process.stdout
        partial = b""
        ended = False
        deadline = time.monotonic() + boot_limit
        while not ended and time.monotonic() < deadline:
            if not select.select([console], [], [], 0.5)[0]:
                ended = self.process.poll() is not None
                continue
            data = os.read(console.fileno(), 65536)
            ended = not data
            *lines, partial = (partial + data).split(b"\n")
            booted = self.booted
            for line in lines:
                self.line(line.decode(errors="replace").rstrip("\r"))
            if self.booted and not booted:
                deadline = time.monotonic() + limit
        # The last thing that it says may have no end.
        if partial:
            self.line(partial.decode(errors="replace"))
        return ended

    def line(self, text):
        """A line of the console: the kernel's, progress, or a request."""
        # Its init says so first, but the kernel may have spoken in the middle of that.
        self.booted = self.booted or "@@" in text
        if "@@progress " in text:
            say(text.split("@@progress ", 1)[1])
        elif "@@host " in text and (request := whole_request(text)):
            self.answer(*request)
        else:
            self.lines.append(text)

    def answer(self, reply, words):
        """Do what the guest asked for, once, and leave the answer where it looks."""
        if reply in self.answered:
            return
        self.answered.add(reply)
        try:
            text = "ok\n" + self.serve(*words)
        except (qemu.QmpError, TypeError, ValueError) as error:
            text = f"error {error}\n"
        path = os.path.join(self.share, reply)
        with open(path + ".tmp", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".tmp", path)

    def serve(self, what, *args):
        """One request of the guest; returns the lines of the answer."""
        if what == "devices":
            where = self.qmp.addresses()
            return "".join(f"{dev} {where[dev]} {how}\n"
                           for dev, how in self.devices.test_devices()
                           if dev in where or dev not in self.devices.hotplug)
        if what == "plug":
            for device in self.devices.hotplug.values():
                self.qmp.device_add(device)
            where = self.qmp.addresses()
            return "".join(where[dev] + "\n" for dev in self.devices.hotplug)
        if what == "device_add":
            self.qmp.device_add(*args)
            return ""
        if what == "device_del":
            self.qmp.command("device_del", id=args[0])
            return ""
        raise ValueError(f"the runner knows no request '{what}'")


def tag_and_directory(text):
    """TAG=DIR of the command line."""
    tag, _, directory = text.partition("=")
    if not tag or not os.path.isdir(directory):
        raise argparse.ArgumentTypeError(f"{text}: no TAG=DIR with a directory that is there")
    return tag, directory


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    boots = parser.add_mutually_exclusive_group(required=True)
    boots.add_argument("--kernel", help="directory of fetch-kernel.sh")
    boots.add_argument("--disk", help="image with a system that boots by itself, and looks "
                                      "for the job in the shared directory")
    parser.add_argument("--topology", required=True, help="file, or name of one")
    parser.add_argument("--job", default="main.sh", help="script in guest/ to run")
    parser.add_argument("--share", required=True, help="directory for what the guest writes")
    parser.add_argument("--module", action="append", default=[], help=".ko for the guest")
    parser.add_argument("--program", action="append", default=[],
                        help="file or directory for the guest's /suite")
    parser.add_argument("--arch", default="x86_64", choices=qemu.ARCHS)
    parser.add_argument("--sysroot", default="/",
                        help="where busybox and libraries of that architecture are")
    parser.add_argument("--platform", default="x86_64-4k")
    parser.add_argument("--firmware", default="", help="uefi; default what QEMU has by itself")
    parser.add_argument("--mount", action="append", default=[], metavar="TAG=DIR",
                        type=tag_and_directory,
                        help="directory that the guest can mount read-only by that tag")
    parser.add_argument("--append", default="", help="more for the kernel command line")
    parser.add_argument("--boot-limit", type=int, default=300,
                        help="seconds until it has come to its init")
    parser.add_argument("--limit", type=int, default=300,
                        help="seconds from then until it is ended")
    return parser.parse_args()


def topology_path(name):
    """A topology given as a file or by its name."""
    here = os.path.dirname(os.path.abspath(__file__))
    known = os.path.join(here, "topologies", name + ".topo")
    return name if os.path.exists(name) else known


def left(args, name):
    """What the guest has left in a file; None if there is none."""
    path = pathlib.Path(args.share, name)
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else None


def indented(lines):
    """The last ones, below a line that says what they are."""
    return ["    " + line for line in lines[-LAST_LINES:]]


def judge(args, console, said, faults):
    """Add what else is wrong to the faults, lines for the person; the exit code."""
    status = left(args, "exit-status")
    pathlib.Path(args.share, "exit-status").unlink(missing_ok=True)
    if unknown := re.search(r"'(\S+)' is not a valid device model name", "\n".join(said)):
        faults[:] = [f"{args.topology}: QEMU here has no device {unknown[1]}: put a newer QEMU "
                     "first in PATH, such as that of Debian's backports, or use another TOPOLOGY"]
        return 2
    if status is None:
        if console or not faults:
            faults += ["the guest left no exit status; its last lines:", *indented(console)]
        if said:
            faults += ["QEMU said:", *indented(said)]
    elif status.strip() != "0":
        faults.append(f"the job {args.job} failed with exit code {status.strip()}")

    if left(args, "dmesg.log") is None:
        pathlib.Path(args.share, "dmesg.log").write_text("\n".join(console), encoding="utf-8")
    # The console has what came after the others were written.
    log = [*left(args, "dmesg.log").splitlines(),
           *(left(args, "leaks.log") or "").splitlines(), *console]
    complaints = [n for n, line in enumerate(log) if COMPLAINTS.search(line)]
    if complaints:
        first = complaints[0]
        faults += ["the guest's kernel complained (see dmesg.log):",
                   *indented(sorted({log[n].strip() for n in complaints})[:LAST_LINES]),
                   "around the first of these:",
                   *indented(log[max(0, first - LAST_LINES // 2):first + LAST_LINES // 2])]
    if status is None:
        return 3
    return 1 if faults else 0


def serve(args, process, qmp, devices):
    """Serve the guest until its end. Returns its console, what went wrong, and whether
    it came to its init."""
    guest = Guest(process, qmp, args.share, devices)
    faults = []
    if not guest.watch(args.boot_limit, args.limit):
        if guest.booted:
            faults.append(f"the guest did not end within {args.limit} s and was ended: if this "
                          "machine is slow, raise the limit (--limit, or limit= in "
                          f"scripts/build/platforms/{args.platform}.conf)")
        else:
            faults.append(f"the guest did not come to its init within {args.boot_limit} s "
                          "(--boot-limit)")
    elif process.wait():
        faults.append(f"QEMU ended with exit code {process.returncode}")
    return guest.lines, faults, guest.booted


def boot(args, command, errors, scratch, devices):
    """Boot the guest. Returns what serve() does; a QEMU that does not start is no boot
    that could be repeated."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=errors) as process:
        try:
            qmp = qemu.Qmp(os.path.join(scratch, "qmp"), process)
        except (OSError, qemu.QmpError) as error:
            return [], [f"QEMU did not start: {error}"], True
        else:
            return serve(args, process, qmp, devices)
        finally:
            # Also when a signal ends this program.
            process.kill()


def boot_twice(args, *how):
    """Boot the guest, and once more if it is lost before its init: no test is to blame
    for that. Returns its console, and what went wrong."""
    console, faults, booted = boot(args, *how)
    if not booted:
        why = [*faults, *(line for line in console if COMPLAINTS.search(line)), *console[-1:],
               "it said nothing"][0]
        say(f"the guest died before its init ({why.strip()}): booting once more")
        pathlib.Path(args.share, "lost-boot.log").write_text("\n".join(console), encoding="utf-8")
        console, faults, booted = boot(args, *how)
        if not booted:
            faults.insert(0, "the guest died before its init again")
    return console, faults


def system(args, devices, scratch):
    """What the guest boots: paths of kernel and initramfs, and what only it wants on its
    command line."""
    if args.disk:
        devices.qemu_args += disk.qemu_args(args.disk, qemu.ARCHS[args.arch].bus)
        return *disk.extract(args.disk, scratch), disk.APPEND
    image = os.path.join(scratch, "initramfs.cpio")
    initramfs.build(image, args.kernel, args.module, args.program, args.sysroot, devices.tables)
    return os.path.join(args.kernel, "vmlinuz"), image, ""


def run(args):
    """Make the image, boot, watch, judge. Returns what is wrong, and the exit code."""
    devices = topology.load(topology_path(args.topology))
    accel, why = qemu.accelerator(args.arch)
    firmware = qemu.firmware(args.arch, args.firmware)
    os.makedirs(args.share, exist_ok=True)
    for name in GUEST_FILES:
        # Of an earlier guest.
        pathlib.Path(args.share, name).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="vfio-pci-subpage-vm.") as scratch:
        topology.make_images(devices, scratch)
        for tag, directory in args.mount:
            devices.qemu_args += qemu.mount(args.arch, tag, directory)
        kernel, initrd, own = system(args, devices, scratch)
        # A CPU that this machine does not run for 20 s is not stuck.
        append = (f"loglevel=6 panic=-1 oops=panic"
                  f" watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120"
                  f" job={args.job} platform={args.platform} accel={accel} {own} {args.append}")
        say(f"booting {args.platform} ({args.topology}: {len(devices.tested)} devices "
            f"under test) with {accel}: {why}")
        command = qemu.command(args.arch, accel, devices, kernel, initrd, append,
                               args.share, scratch, firmware)
        with open(os.path.join(scratch, "qemu.err"), "w+", encoding="utf-8",
                  errors="replace") as errors:
            console, faults = boot_twice(args, command, errors, scratch, devices)
            errors.seek(0)
            code = judge(args, console, errors.read().splitlines(), faults)
        return faults, code


def main():
    """The command."""
    args = arguments()
    # What is cleaned up after an exception is cleaned up then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        faults, code = run(args)
    except (topology.TopologyError, disk.DiskError, initramfs.ImageError,
            qemu.FirmwareError, OSError) as error:
        say(error)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    for fault in faults:
        say(fault)
    sys.exit(code)


if __name__ == "__main__":
    main()
