#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# docs.sh DIR
#
# Build the documentation as HTML into DIR. A warning is an error.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"

cd -- "$(dirname -- "$0")/../.."

main()
{
	[ $# = 1 ] || usage "DIR"
	have sphinx-build ||
		die "sphinx-build: not found in PATH: install the package python3-sphinx"
	# -E, because a page that is not read again does not warn again.
	sphinx-build -W --keep-going -E -q -b html Documentation "$1" ||
		die "the documentation does not build: look above for the reason"
	say "the documentation is in $1/index.html"
}

main "$@"
