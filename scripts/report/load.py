# SPDX-License-Identifier: GPL-2.0-only
"""Read a results.json and check it once, so that nobody else has to."""
import dataclasses
import os

from . import devices, schema

ADDRESSES = {"bars": ("start", "flags"), "neighbours": ("start", "end")}


@dataclasses.dataclass
class Results:
    """A results file: the fields of schema.RESULTS."""
    path: str
    platform: dict
    revision: str
    runs: list
    bars: list
    neighbours: list
    timings: list
    skipped: list
    perf: dict
    machine: dict
    opens: list
    kunit: list
    totals: dict
    partial: bool

    def __post_init__(self):
        self.names = devices.names(self.bars)

    @property
    def source(self):
        """The file, for people: "latest" becomes the run that it points to."""
        return os.sep.join(os.path.realpath(self.path).split(os.sep)[-2:])

    @property
    def page(self):
        """The size of a page, in bytes."""
        return self.platform["page_size"]

    def name(self, bdf):
        """Of a device, for people."""
        return self.names.get(bdf)


def load(path):
    """A results file; schema.Unusable if it is none."""
    value = schema.decode(schema.read_file(path))
    schema.check_version(value)
    top = schema.check(value, schema.RESULTS, "results")
    if top["platform"]["page_size"] == 0:
        raise schema.Unusable(f"results.platform.page_size is 0: {schema.REMEDY}")
    for part, keys in ADDRESSES.items():
        for entry in top[part]:
            entry |= {key: int(entry[key], 16) for key in keys}
    return Results(path=path, **top)
