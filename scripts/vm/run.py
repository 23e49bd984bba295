#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run a job in the reference VM.

The stages are those of any such runner: make the image, boot, watch, judge.
The guest leaves ktap.log, dmesg.log and what else its job writes in --share,
which is a directory of the host.

Exit code: 0 the job succeeded; 1 it failed, the guest hung or its kernel
complained; 2 wrong use or something is missing.
"""
import argparse
import os
import re
import select
import subprocess
import sys
import tempfile
import time

import initramfs
import qemu
import topology

# What a kernel prints when something is wrong with it.
COMPLAINTS = re.compile(
    r"WARNING: |BUG: |Oops|Kernel panic|general protection fault|Call Trace:"
    r"|possible (?:circular|recursive) locking|inconsistent lock state"
    r"|suspicious RCU usage|sleeping function called from|unreferenced object"
    r"|refcount_t: |UBSAN: |KASAN: |rcu_.*detected stalls"
    r"|INFO: task .* blocked for more than|trying to register non-static key"
    # It looks for nothing from then on.
    r"|leak detector disabled|turning off the locking correctness validator")

LAST_LINES = 25


def say(text):
    """A line for the person who waits."""
    print(f"vm: {text}", file=sys.stderr, flush=True)


class Guest:
    """A booted guest: its console, its requests, its end."""

    def __init__(self, process, qmp, share, devices):
        self.process = process
        self.qmp = qmp
        self.share = share
        self.devices = devices
        self.lines = []
        self.partial = b""
        self.answered = set()

    def watch(self, limit):
        """Serve the guest until it ends. False if it had to be ended."""
        deadline = time.monotonic() + limit
        console = self.process.stdout
        while time.monotonic() < deadline:
            if not select.select([console], [], [], 0.5)[0]:
                if self.process.poll() is not None:
                    return True
                continue
            data = os.read(console.fileno(), 65536)
            if not data:
                self.process.wait()
                return True
            *lines, self.partial = (self.partial + data).split(b"\n")
            for line in lines:
                self.line(line.decode(errors="replace").rstrip("\r"))
        self.process.kill()
        self.process.wait()
        return False

    def line(self, text):
        """A line of the console: the kernel's, progress, or a request."""
        if "@@progress " in text:
            say(text.split("@@progress ", 1)[1])
        elif "@@host " in text:
            reply, *words = text.split("@@host ", 1)[1].split()
            self.answer(reply, words)
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
            return "".join(f"{dev} {where[dev]} {how}\n" for dev, how in self.devices)
        if what == "device_add":
            self.qmp.device_add(*args)
            return ""
        if what == "device_del":
            self.qmp.command("device_del", id=args[0])
            return ""
        raise ValueError(f"the runner knows no request '{what}'")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", required=True, help="directory of fetch-kernel.sh")
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
    parser.add_argument("--append", default="", help="more for the kernel command line")
    parser.add_argument("--limit", type=int, default=300, help="seconds until it is ended")
    return parser.parse_args()


def topology_path(name):
    """A topology given as a file or by its name."""
    here = os.path.dirname(os.path.abspath(__file__))
    known = os.path.join(here, "topologies", name + ".topo")
    return name if os.path.exists(name) else known


def judge(args, guest, ended):
    """What is wrong with the run: lines for the person; none if it went well."""
    faults = []
    log = "\n".join(guest.lines)
    leaks = os.path.join(args.share, "leaks.log")
    if os.path.exists(leaks):
        with open(leaks, encoding="utf-8", errors="replace") as file:
            log += "\n" + file.read()
    for name in ("dmesg.log",):
        path = os.path.join(args.share, name)
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                log += "\n" + file.read()
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(log)
    complaints = sorted({line.strip() for line in log.splitlines()
                         if COMPLAINTS.search(line)})
    if not ended:
        faults.append(f"the guest did not end within {args.limit} s and was ended")
    status = os.path.join(args.share, "exit-status")
    if not os.path.exists(status):
        faults.append("the guest left no exit status; its last lines:")
        faults += ["    " + line for line in guest.lines[-LAST_LINES:]]
    else:
        with open(status, encoding="utf-8") as file:
            code = file.read().strip()
        os.unlink(status)
        if code != "0":
            faults.append(f"the job {args.job} failed with exit code {code}")
    if complaints:
        faults.append("the guest's kernel complained (see dmesg.log):")
        faults += ["    " + line for line in complaints[:LAST_LINES]]
    return faults


def run(args):
    """Make the image, boot, watch, judge. Returns what is wrong."""
    devices = topology.load(topology_path(args.topology))
    accel, why = qemu.accelerator(args.arch)
    os.makedirs(args.share, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="vfio-pci-subpage-vm.") as scratch:
        image = os.path.join(scratch, "initramfs.cpio")
        topology.make_images(devices, scratch)
        initramfs.build(image, args.kernel, args.module, args.program, args.sysroot)
        append = (f"loglevel=6 panic=-1 oops=panic"
                  f" job={args.job} platform={args.platform} accel={accel} {args.append}")
        say(f"booting {args.platform} ({args.topology}: {len(devices.tested)} devices "
            f"under test) with {accel}: {why}")
        with open(os.path.join(scratch, "qemu.err"), "w+", encoding="utf-8") as errors, \
             subprocess.Popen(qemu.command(args.arch, accel, devices, args.kernel, image, append,
                                           args.share, scratch),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=errors) as process:
            try:
                qmp = qemu.Qmp(os.path.join(scratch, "qmp"), process)
            except OSError:
                process.kill()
                errors.seek(0)
                return [f"QEMU did not start: {errors.read().strip()}"]
            guest = Guest(process, qmp, args.share, devices.test_devices())
            ended = guest.watch(args.limit)
        return judge(args, guest, ended)


def main():
    """The command."""
    args = arguments()
    try:
        faults = run(args)
    except (topology.TopologyError, initramfs.ImageError, OSError) as error:
        say(error)
        sys.exit(2)
    for fault in faults:
        say(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
