# SPDX-License-Identifier: GPL-2.0-only
"""QEMU: which accelerator works, how the machine is made, how to talk to it."""
import glob
import json
import os
import socket
import subprocess
import time


class Arch:
    """What differs between the machines of two architectures."""

    def __init__(self, qemu, host, machine, emulated, cpu, devices, append, bus="pcie.0"):
        self.qemu = qemu
        self.host = host        # what os.uname() calls it: KVM needs the same
        self.machine = machine
        self.emulated = emulated    # more of the machine under TCG
        self.cpu = cpu          # under TCG
        self.devices = devices
        self.append = append    # for the kernel's command line
        self.bus = bus          # for what the guest itself needs


# The arm64 kernel gives all BARs their addresses itself, with firmware or without, unless
# ACPI asks it not to. KVM in the guest needs EL2 there, which QEMU refuses under KVM; on
# x86 the CPU has it. QEMU's own way of pointer authentication is much faster to emulate
# than Arm's. TCG lacks the mitigations that POWER9's pseries has by default.
ARCHS = {
    "x86_64": Arch("qemu-system-x86_64", "x86_64", "q35,kernel-irqchip=split", "", "max",
                   ["-device", "intel-iommu,intremap=on"],
                   "console=ttyS0 intel_iommu=on no_timer_check"),
    "arm64": Arch("qemu-system-aarch64", "aarch64", "virt,gic-version=3,iommu=smmuv3",
                  ",virtualization=on", "max,pauth-impdef=on", [], "console=ttyAMA0"),
    "ppc64le": Arch("qemu-system-ppc64", "ppc64le", "pseries",
                    ",cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off",
                    "power9", [], "console=hvc0", "pci.0"),
}

# Firmware is called differently everywhere, and described here (QEMU's
# docs/interop/firmware.json).
FIRMWARE = ("/etc/qemu/firmware", "/usr/local/share/qemu/firmware", "/usr/share/qemu/firmware")


class FirmwareError(Exception):
    """There is none for this machine; the message says what to install."""


class QmpError(Exception):
    """QEMU refused a command, the message is QEMU's; or it does not answer."""


class Qmp:
    """A client of QEMU's monitor. One command at a time, events are dropped."""

    def __init__(self, path, process, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self.socket.settimeout(timeout)
        self.file = self.socket.makefile("rw", encoding="utf-8")
        self.file.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        """Execute a command and return what it returns. Raises QmpError."""
        answer = {}
        try:
            self.file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
            self.file.flush()
            while "return" not in answer and "error" not in answer:
                answer = json.loads(self.file.readline())
        # The end of a file that is closed is no JSON either.
        except (OSError, ValueError) as error:
            raise QmpError(f"{name}: QEMU does not answer") from error
        if "error" in answer:
            raise QmpError(answer["error"]["desc"])
        return answer["return"]

    def device_add(self, args):
        """Hot-add a device given as on the command line: DRIVER,key=value,..."""
        driver, *options = args.split(",")
        return self.command("device_add", driver=driver,
                            **dict(option.split("=", 1) for option in options))

    def addresses(self):
        """Where the devices with an id are on the PCI bus: {id: BDF}."""
        found = {}

        def walk(domain, devices):
            for dev in devices:
                if dev.get("qdev_id"):
                    found[dev["qdev_id"]] = (f"{domain:04x}:{dev['bus']:02x}:"
                                             f"{dev['slot']:02x}.{dev['function']}")
                walk(domain, dev.get("pci_bridge", {}).get("devices", []))

        for bus in self.command("query-pci"):
            walk(self._domain(bus["devices"]), bus["devices"])
        return found

    def _domain(self, devices):
        """Linux's number of the PCI domain that has these on its root bus. Only pseries has
        more than 0, and calls it the index of a host bridge."""
        for dev in devices:
            if dev.get("qdev_id"):
                bus = self.command("qom-get", path=f"/machine/peripheral/{dev['qdev_id']}",
                                   property="parent_bus")
                try:
                    return self.command("qom-get", path=os.path.dirname(bus), property="index")
                except QmpError:
                    break
        return 0


def accelerator(arch):
    """The accelerator that works here: ("kvm" or "tcg", why).

    /dev/kvm may open and still not run this machine, so a paused one is tried.
    """
    machine = ARCHS[arch]
    if os.uname().machine != machine.host:
        return "tcg", f"this host is no {arch}"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg", "/dev/kvm is missing or not accessible"
    command = [machine.qemu, "-accel", "kvm", "-cpu", "host", "-M", machine.machine, "-S",
               "-nodefaults", "-display", "none", "-monitor", "stdio"]
    try:
        done = subprocess.run(command, input="quit\n", capture_output=True, text=True,
                              timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return "tcg", "a machine under KVM did not start in 20 s"
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return "tcg", f"KVM does not work here ({lines[0].removeprefix(machine.qemu + ': ')})"
    return "kvm", "/dev/kvm works"


def firmware(arch, kind):
    """QEMU's arguments for firmware of that kind ("uefi"), or for none ("")."""
    if not kind:
        return []
    for path in sorted(path for where in FIRMWARE for path in glob.glob(where + "/*.json")):
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
        code = known["mapping"].get("executable")
        archs = [target["architecture"] for target in known["targets"]]
        # Secure Boot takes signed modules only.
        if (kind in known["interface-types"] and ARCHS[arch].host in archs
                and "secure-boot" not in known["features"]
                and code and os.path.exists(code["filename"])):
            # It forgets its variables, as there is no file for them.
            return ["-drive", f"if=pflash,unit=0,readonly=on,format={code['format']},"
                    f"file={code['filename']}"]
    raise FirmwareError(f"firmware {kind} for {arch}: {FIRMWARE[-1]} describes none: install the "
                        "package qemu-efi-aarch64, or what else describes it there")


def mount(arch, tag, directory):
    """QEMU's arguments for a directory that the guest can mount, and read."""
    return ["-fsdev", f"local,id={tag},path={directory},security_model=none,readonly=on,"
            "multidevs=remap",
            "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag},bus={ARCHS[arch].bus}"]


def command(arch, accel, topology, kernel, initrd, append, share, directory, firmware_args):
    """QEMU's command line for the reference machine with a topology."""
    machine = ARCHS[arch]
    # An x86 kernel patches its code by way of a breakpoint. QEMU before 8.1, where each CPU
    # is a thread, may keep what it has translated of it when another CPU has just removed
    # it: the kernel stops. QEMU itself may die if a CPU writes to a device while another
    # one moves BARs. In one thread the CPUs take turns of up to 100 ms, so races are
    # seldom met there; arm64, which patches without a breakpoint, has threads.
    threads = "single" if arch == "x86_64" else "multi"
    cpu = ["-accel", "kvm", "-cpu", "host"] if accel == "kvm" else \
          ["-accel", f"tcg,thread={threads}", "-cpu", machine.cpu]
    options = machine.machine
    if accel == "tcg":
        options += machine.emulated
    if topology.machine:
        options += "," + topology.machine
    return [machine.qemu, *cpu, "-M", options, "-smp", topology.cpus, "-m", topology.memory,
            "-nodefaults", "-display", "none", "-no-reboot",
            "-serial", "stdio", "-qmp", f"unix:{directory}/qmp,server=on,wait=off",
            "-kernel", kernel, "-initrd", initrd,
            "-append", f"{machine.append} {append}", *machine.devices, *firmware_args,
            "-fsdev", f"local,id=share,path={share},security_model=none,multidevs=remap",
            "-device", f"virtio-9p-pci,fsdev=share,mount_tag=share,bus={machine.bus},addr=2",
            *[arg.replace("{dir}", directory) for arg in topology.qemu_args]]
