#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# For the tests of the runner: a job that fails.
exit 3
