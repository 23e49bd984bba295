# SPDX-License-Identifier: GPL-2.0-only
"""Which times say anything."""


def is_timed(entry):
    """Whether there is a time to draw, and to take a ratio of. What costs no more
    than the loop around it, which was subtracted, is lost in the noise of that."""
    median, loop = entry["median_ns"], entry["loop_ns"]
    return median is not None and median > 0 and (loop is None or median > loop)
