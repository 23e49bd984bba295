#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# For the tests of the runner: the job succeeds, but the kernel has complained.
echo "<4>what led to it" >/dev/kmsg
echo "<4>WARNING: CPU: 0 PID: 1 at a/test.c:1 of_the_runner" >/dev/kmsg
