#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Building kernels: what goes wrong is said in one line, what was interrupted goes
# on where it was. In a cache of its own, beside the real one's sources; builds are
# ended after a few objects.

set -euo pipefail
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=ktap.sh
. scripts/tests/ktap.sh

real=${XDG_CACHE_HOME:-$HOME/.cache}/vfio-pci-subpage
tmp=$(mktemp -d)
cache=$tmp/cache/vfio-pci-subpage
builder=
# shellcheck disable=SC2317 # by the trap
clean_up()
{
	[ -z "$builder" ] || kill "$builder" 2>/dev/null || :
	wait
	rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 143' TERM INT HUP

# A copy of the scripts has platforms of its own.
prepare()
{
	local file
	scripts/packages.sh build vm kernel arm64
	scripts/build/fetch-source.sh --full 6.12 >"$tmp/source"
	scripts/build/fetch-source.sh 6.12 >>"$tmp/source"
	# Here, where it can say how far it is.
	scripts/build/kernel.sh x86_64-4k-debug >/dev/null
	mkdir -p "$cache" "$tmp/copy"
	for file in "$real"/{packages,full-6.12*,source-6.12*}; do
		ln -s "$file" "$cache/"
	done
	# The cache writes a manifest anew when apt's lists are newer.
	cp --remove-destination "$real"/*-6.12.manifest "$cache/"
	cp -r scripts "$tmp/copy/"
}

# platform NAME FRAGMENT...: one of the copy
platform()
{
	local name=$1
	shift
	sed "s/^config=.*/config=\"$*\"/" scripts/build/platforms/x86_64-4k-debug.conf \
		>"$tmp/copy/scripts/build/platforms/$name.conf"
}

# build NAME: into $status, $tmp/out, $tmp/err
build()
{
	status=0
	XDG_CACHE_HOME=$tmp/cache "$tmp/copy/scripts/build/kernel.sh" "$1" \
		>"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
}

# said PATTERN: it failed, and its last line says why
said()
{
	cat "$tmp/out" "$tmp/err"
	[ $status = 1 ] && tail -n 1 "$tmp/err" | grep -qE -- "$1"
}

# start NAME: build in the background
start()
{
	# The log of the one before would be taken for its own.
	rm -f "$cache/objects-$1"-*/make.log
	XDG_CACHE_HOME=$tmp/cache "$tmp/copy/scripts/build/kernel.sh" "$1" \
		>"$tmp/out" 2>"$tmp/err" </dev/null &
	builder=$!
}

objects()
{
	find "$cache/objects-$1"-* -name '*.o' -path '*/kernel/*' 2>/dev/null | wc -l
}

# wait_for COMMAND...: until it succeeds, while the build goes on
wait_for()
{
	until "$@"; do
		kill -0 "$builder" 2>/dev/null || { cat "$tmp/err"; return 1; }
		sleep 0.2
	done
}

enough_objects()
{
	[ "$(objects "$1")" -ge "$2" ]
}

# stop SIGNAL: the builder's exit code into $status
stop()
{
	status=0
	kill -"$1" "$builder"
	wait "$builder" || status=$?
	builder=
}

# Neither the lock nor a compiler outlives the script.
nothing_left()
{
	same "exit code" 143 $status &&
		flock -n "$cache/.kernel-$1.lock" true &&
		! pgrep -f "O=$cache/objects-$1-"
}

interrupted()
{
	start tiny
	wait_for enough_objects tiny 20 || return 1
	stop TERM
	nothing_left tiny
}

# What was built is not built again.
goes_on()
{
	local log
	find "$cache"/objects-tiny-* -name '*.o' -path '*/kernel/*' -printf '%P %T@\n' |
		sort >"$tmp/before"
	start tiny
	wait_for enough_objects tiny $(($(wc -l <"$tmp/before") + 5)) || return 1
	stop TERM
	find "$cache"/objects-tiny-* -name '*.o' -path '*/kernel/*' -printf '%P %T@\n' |
		sort >"$tmp/after"
	log=$(comm -23 "$tmp/before" "$tmp/after" | head -n 3)
	[ -z "$log" ] || { echo "built again: $log"; return 1; }
}

# Built, that is, and no longer looked at.
whole_is_used()
{
	cp -a "$(scripts/build/kernel.sh x86_64-4k-debug)" "$cache/"
	build x86_64-4k-debug
	cat "$tmp/err"
	same "exit code" 0 $status && [ -s "$(cat "$tmp/out")/vmlinuz" ] && [ ! -s "$tmp/err" ]
}

# As a killed run of another version might have left it.
unfinished_is_built()
{
	rm "$cache"/kernel-x86_64-4k-debug-*/stamp
	start x86_64-4k-debug
	wait_for enough_objects x86_64-4k-debug 1 || return 1
	stop TERM
	nothing_left x86_64-4k-debug
}

# A PATH with what the script calls and no compiler.
without_compilers()
{
	local program
	mkdir "$tmp/bin"
	for program in $(compgen -c | sort -u | grep -vE 'gcc|^cc$|clang'); do
		program=$(type -P "$program") || continue
		ln -sfn "$program" "$tmp/bin/"
	done
	status=0
	XDG_CACHE_HOME=$tmp/cache PATH=$tmp/bin scripts/build/kernel.sh arm64-64k \
		>"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
	said 'aarch64-linux-gnu-gcc: not found in PATH: run scripts/packages.sh .*arm64'
}

# The lists may name a newer source than the one that was unpacked.
newer_source()
{
	sed 's/version=.*source-}$/version=6.12.9999-1/' scripts/build/kernel.sh \
		>"$tmp/copy/scripts/build/kernel.sh"
	build x86_64-4k-debug
	cp scripts/build/kernel.sh "$tmp/copy/scripts/build/"
	said 'source packages changed to .* meanwhile: run this again'
}

prepare
platform tiny common x86_64
platform lost common x86_64 debug lost
echo CONFIG_SLUB_TINY=y >"$tmp/copy/scripts/build/platforms/config/lost.config"

check "kernels: a whole entry is used" whole_is_used
check "kernels: an unfinished entry is built" unfinished_is_built
build nonsense
check "kernels: unknown platform" said 'nonsense: no platform with a kernel of its own: use one of'
check "kernels: no cross compiler" without_compilers
check "kernels: another version of the source" newer_source
build lost
check "kernels: an option that Kconfig drops" said 'lost: kconfig did not take:.* CONFIG_KASAN'
check "kernels: ended by SIGTERM, nothing is left" interrupted
check "kernels: goes on where it was" goes_on
finish
