#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# For the tests of the runner: a guest that never ends.
echo "<1>this guest hangs" >/dev/kmsg
sleep 100000
