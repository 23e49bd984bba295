# SPDX-License-Identifier: GPL-2.0-only
"""Records as the suite writes them, and what is made of them: for tests of the report."""
import json
import pathlib
import sys

SCRIPTS = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SCRIPTS))

from report import load, merge

COST = {"kernel": 70, "sysfs": 75, "mmap": 80, "pread": 1600, "pwrite": 1500, "kvm-mapped": 96,
        "kvm-ioeventfd": 9000, "kvm-trapped": 64000}
PATHS = {"read": ("kernel", "sysfs", "mmap", "pread", "kvm-mapped", "kvm-trapped"),
         "write": ("kernel", "mmap", "pwrite", "kvm-mapped", "kvm-ioeventfd", "kvm-trapped"),
         "write-read": ("kernel", "mmap", "pwrite", "kvm-trapped")}
MAPPED = ("mmap", "kvm-mapped")
PHASES = {"bind": 9e5, "open": 2e6, "mmap": 3e4, "touch": 2e3, "close": 1e6, "unbind": 7e5,
          "total": 4.6e6}
TOTALS = {"pass": 10, "fail": 0, "skip": 2, "xfail": 0, "error": 0}
WITH, WITHOUT = {"driver": "vfio-pci", "module": True}, {"driver": "vfio-pci", "module": False}
SUITE = {"suite": "policy", "pass": 2, "fail": 0, "skip": 1,
         "cases": [{"name": "wide", "result": "skip", "reason": "pages are small"}]}


def run(program, **more):
    """The first record of a run."""
    return {"type": "run", "schema": 2, "program": program, "command": f"./{program} --results x",
            "time": "2026-11-25T09:48:54Z", "module_version": "1.2",
            "platform": {"name": "x86_64-4k", "arch": "x86_64", "page_size": 4096,
                         "kernel": "6.12.1", "accel": "kvm", "cpus": 4}, **more}


def end(**more):
    """The last one."""
    return {"type": "end", "totals": None, "complete": True, **more}


def bar(bdf="0000:02:01.0", binding=None, mmap=True, **more):
    """A memory BAR of 256 bytes."""
    binding = binding or WITH
    return {"type": "bar", "bdf": bdf, "vendor": "0x1b36", "device": "0x0007",
            "class": "0x080500", "name": "A | B <i>", **binding, "bar": 0, "size": 256,
            "shown_size": 4096 if binding["module"] else 256, "start": "0xfd700100",
            "flags": "0x40200", "state": None, "expected_mmap": mmap, "mmap": mmap,
            "backend": "container", **more}


def timing(path="mmap", median=80.0, binding=None, **more):
    """A timing with an interval of one percent to either side."""
    return {"type": "timing", "bdf": "0000:02:01.0", **(binding or WITH), "bar": 0, "offset": 64,
            "path": path, "op": "read", "width": 4, "median_ns": median, "min_ns": median * 0.9,
            "p99_ns": median * 2, "ci95_ns": [median * 0.99, median * 1.01], "samples": 500,
            "batch": 128, "cpu": 1, "node": None, "outliers": 3, "loop_ns": 2.0, **more}


def skip(reason="no /dev/kvm", **more):
    """What was not timed."""
    return {"type": "skip", "bdf": "0000:02:01.0", **WITH, "bar": 0, "offset": 64,
            "path": "kvm-ioeventfd", "op": "write", "width": 4, "kind": "missing",
            "reason": reason, **more}


def costs(binding, factor):
    """What devices cost."""
    return [{"type": "open", **binding, "functions": count, "phase": phase,
             "median_ns": cost * factor, "min_ns": cost * 0.9, "p99_ns": cost * 2,
             "ci95_ns": [cost * factor * 0.98, cost * factor * 1.02], "samples": 30}
            for count in (1, 4, 16) for phase, cost in PHASES.items()]


def run_of_test(binding):
    """Four BARs, of which one is mapped without the module, and three with it."""
    module = binding["module"]
    bars = [bar(f"0000:0{n}:01.0", binding, n != 3 if module else n == 0,
                start=f"0xfd70{n}000" if module else f"0xfd7{n // 2}0{n % 2}00",
                state="relocated" if module and n < 3 else "no-space" if module else None,
                shown_size=4096 if module and n < 3 else 256) for n in range(4)]
    return [run("vfio_pci_subpage_test"), *bars,
            {"type": "neighbour", "module": module, "start": "0xfd710800", "end": "0xfd710fff",
             "name": "Reserved"}, end(totals=TOTALS)]


def run_of_perf():
    """Each path to a register of each BAR, as far as it is mapped."""
    machine = {"type": "machine", "cpu_model": "A | B <i>", "governor": "powersave", "smt": None,
               "hypervisor": None, "steal_percent": 0.5, "warnings": ["the governor is powersave"]}
    timings = [timing(path, COST[path] * (1 + n / 10), binding, bdf=f"0000:0{n}:01.0", op=op)
               for binding, mapped in ((WITH, 3), (WITHOUT, 1)) for n in range(4)
               for op, paths in PATHS.items() for path in paths
               if n < mapped or path not in MAPPED]
    return [run("vfio_pci_subpage_perf"),
            {"type": "perf", "seed": "0x7", "counter": "rdtsc", "counter_hz": 2.1e9,
             "resolution_ns": 0.5, "blocks": 20, "rounds": 5, "remote_node": False},
            {**machine, "steal_percent": 0}, *timings, skip(),
            skip("an eventfd can only be written", op="read", kind="not-applicable"), machine,
            end()]


def records():
    """Of a whole job."""
    return [*run_of_test(WITHOUT), *run_of_test(WITH), *run_of_perf(), run("vfio_pci_subpage_open"),
            *costs(WITHOUT, 1), *costs(WITH, 1.2), end()]


def lines(*some):
    """Records as a file has them."""
    return "".join(json.dumps(one) + "\n" for one in some)


def results(**more):
    """A small file in which everything occurs; entries may be written as records."""
    made = merge.merge(lines(*records()), [SUITE])
    return {**made, "revision": "abc1234", **more}


def scaled(factor):
    """The same with mmap slower by a factor."""
    top = results()
    for entry in top["timings"]:
        if entry["path"] == "mmap":
            entry["median_ns"] *= factor
            entry["ci95_ns"] = [bound * factor for bound in entry["ci95_ns"]]
    return top


def loaded(tmp_path, top):
    """Results, as read from a file."""
    path = tmp_path / "loaded.json"
    path.write_text(json.dumps(top), encoding="utf-8")
    return load.load(path)


