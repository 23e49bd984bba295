#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel.sh PLATFORM
#
# Print a directory that holds the platform's own kernel, in the layout of
# fetch-kernel.sh. It is built from the distribution's kernel source with the
# platform's configuration fragments, unless the cache has it. An interrupted
# build goes on where it was.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
# shellcheck source=cache.sh
. "$(dirname -- "$0")/cache.sh"

cd -- "$(dirname -- "$0")/../.."
# shellcheck source=platform.sh
. scripts/build/platform.sh

# Raise it when what is made of a build changes: older entries are then rebuilt.
readonly entry_layout=1
# Of objects, modules and headers while it is built.
readonly build_mib=1500

fragments()
{
	local name
	for name in $(platform_get "$1" config); do
		echo "scripts/build/platforms/config/$name.config"
	done
}

# What went into the kernel: version of the source, fragments, tools, layout.
key()
{
	local list
	mapfile -t list < <(fragments "$1")
	{
		echo "$2 $entry_layout"
		cat "${list[@]}"
		"${CROSS_COMPILE:-}gcc" --version
		"${CROSS_COMPILE:-}ld" --version
	} | sha256sum | cut -c 1-8
}

check_tools()
{
	local tool
	for tool in "${CROSS_COMPILE:-}gcc" "${CROSS_COMPILE:-}ld" make bison flex bc; do
		have "$tool" ||
			die "$tool: not found in PATH: run scripts/packages.sh $(platform_packages "$1" | paste -sd ' ')"
	done
}

set_kbuild()
{
	kbuild=(make -C "$tree" O="$objects" LOCALVERSION="-$platform-$id"
		KBUILD_BUILD_USER=vfio-pci-subpage KBUILD_BUILD_HOST=localhost)
}

# wanted FRAGMENT...: "OPTION LINE" for each option, the last one counts
wanted()
{
	sed -nE 's/^(CONFIG_[A-Za-z0-9_]+)=.*/\1 &/p
		 s/^# (CONFIG_[A-Za-z0-9_]+) is not set$/\1 &/p' "$@" |
		awk '{ name = $1; sub(/^[^ ]* /, ""); line[name] = $0 }
		     END { for (name in line) print name, line[name] }' | sort
}

# Kconfig drops without a word what it has no dependencies for.
check_config()
{
	local name line now lost=
	while read -r name line; do
		now=$(grep -E "^$name=|^# $name is not set$" "$objects/.config" || echo "# $name is not set")
		[ "$now" = "$line" ] || lost+=" $name"
	done < <(wanted "$@")
	[ -z "$lost" ] ||
		die "$platform: kconfig did not take:$lost: add what they depend on to scripts/build/platforms/config, or remove them"
}

# Everything that no fragment asks for is off: allnoconfig, not the defaults.
# A build that goes on keeps its configuration, or make would start afresh.
configure()
{
	local list merged=$objects/.merged
	mapfile -t list < <(fragments "$platform")
	cat "${list[@]}" | cmp -s - "$merged" && return
	cat "${list[@]}" >"$merged.new"
	(cd "$tree" && KCONFIG_CONFIG=$objects/.config \
		scripts/kconfig/merge_config.sh -n -O "$objects" "$merged.new") \
		>"$objects/config.log" 2>&1 ||
		die "$platform: the configuration cannot be made: see $objects/config.log"
	check_config "${list[@]}"
	mv "$merged.new" "$merged"
}

# A line every few seconds, for the person who waits.
show_progress()
{
	local about
	about=$(platform_get "$platform" objects)
	# It must not keep a pipe open that this script has left.
	while sleep 10 >/dev/null 2>&1; do
		say "$platform: $(find "$objects" -name '*.o' 2>/dev/null | wc -l) of about ${about:-?} objects built"
	done
}

# Whoever ends this script ends the build, and with it the lock: two builds of the
# same objects would spoil them. make alone would leave compilers behind.
stop_builder()
{
	kill "$watcher" 2>/dev/null || :
	kill -- "-$builder" 2>/dev/null || :
	# In a container nobody may reap what is dead: it counts as gone.
	while pgrep -g "$builder" -r D,R,S,T >/dev/null; do
		sleep 0.1
	done
}

compile()
{
	local status=0
	say "building the kernel of $platform, some minutes; log: $objects/make.log"
	# Without the lock: what it runs might outlive it for a moment.
	show_progress 9>&- &
	watcher=$!
	# A process group of its own, to end it as a whole.
	set -m
	"${kbuild[@]}" -j"$(nproc)" >"$objects/make.log" 2>&1 </dev/null &
	builder=$!
	set +m
	trap stop_builder EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	wait "$builder" || status=$?
	stop_builder
	trap - EXIT HUP INT TERM
	[ $status = 0 ] && return
	! grep -q 'No space left' "$objects/make.log" ||
		die "$cache: no space left: make room there or set XDG_CACHE_HOME, then run this again"
	grep -m 3 -E 'error|Error' "$objects/make.log" >&2 || :
	die "$platform: the kernel does not build: see $objects/make.log"
}

# The kernel's own script knows what external modules need. It would rebuild
# the host's programs with CC, for a package that is used on the target.
install_headers()
{
	# shellcheck disable=SC2016 # make expands it
	"${kbuild[@]}" -s run-command KBUILD_RUN_COMMAND='CC="$(HOSTCC)" $(srctree)/scripts/package/install-extmod-build '"$1" >&2 ||
		die "$platform: the headers cannot be installed: look above for the reason"
	cp "$objects/.config" "$1/.config"
}

# install_kernel DIR
install_kernel()
{
	local image=arch/x86/boot/bzImage release
	[ "${ARCH:-}" != arm64 ] || image=arch/arm64/boot/Image
	release=$(cat "$objects/include/config/kernel.release")
	cp "$objects/$image" "$1/vmlinuz"
	echo "$release" >"$1/release"
	"${kbuild[@]}" -s modules_install INSTALL_MOD_PATH="$1" >>"$objects/make.log" 2>&1 ||
		die "$platform: the modules cannot be installed: see $objects/make.log"
	rm -f "$1/lib/modules/$release/"{build,source}
	ln -s ../../../build "$1/lib/modules/$release/build"
	ln -s "lib/modules/$release" "$1/modules"
	install_headers "$1/build"
	make -s -C "$1/build" kernelversion >/dev/null ||
		die "$platform: its headers do not work where they are: report this"
}

entry_ok()
{
	[ "$(cat "$1/stamp" 2>/dev/null)" = "layout $entry_layout" ]
}

check_entry()
{
	local file
	for file in vmlinuz release modules/modules.{builtin,dep} \
		    build/{.config,Makefile,Module.symvers,scripts/mod/modpost} \
		    build/include/generated/autoconf.h; do
		[ -s "$1/$file" ] || return 1
	done
}

# Of sources or fragments that have changed since.
remove_old_builds()
{
	local dir
	for dir in "$cache/objects-$platform-"*; do
		[ "$dir" = "$objects" ] || rm -rf "$dir"
	done
}

make_entry()
{
	local dir=$1 work=$cache/.kernel-$platform.tmp
	tree=$(scripts/build/fetch-source.sh --full "$(platform_get "$platform" series)")
	[ "${tree##*/full-}" = "$version" ] ||
		die "$platform: the source packages changed to ${tree##*/full-} meanwhile: run this again"
	remove_old_builds
	need_room $build_mib
	mkdir -p "$objects"
	set_kbuild
	configure
	compile
	rm -rf "$work" "$dir"
	mkdir "$work"
	install_kernel "$work"
	check_entry "$work" || die "$platform: the build lacks a file that is needed: report this, with $objects/make.log"
	echo "layout $entry_layout" >"$work/stamp"
	mv "$work" "$dir"
	rm -rf "$objects"
}

main()
{
	[ $# = 1 ] || usage "PLATFORM"
	local dir source
	platform=$1
	{ is_platform "$platform" && [ -n "$(platform_get "$platform" config)" ]; } ||
		die "$platform: no platform with a kernel of its own: use one of $(platforms_with config)"
	platform_environment "$platform"
	check_tools "$platform"
	cache=$(cache_dir)
	source=$(scripts/build/fetch-source.sh "$(platform_get "$platform" series)")
	version=${source##*/source-}
	id=$(key "$platform" "$version")
	dir=$cache/kernel-$platform-$version-$id
	objects=$cache/objects-$platform-$id

	if ! entry_ok "$dir"; then
		exec 9>"$cache/.kernel-$platform.lock"
		flock -n 9 || {
			say "waiting for another run that builds the kernel of $platform"
			flock 9
		}
		entry_ok "$dir" || make_entry "$dir" >&2
	fi
	printf '%s\n' "$dir"
}

main "$@"
