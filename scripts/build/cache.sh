# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The cache of what was made of packages. Sourced after lib.sh, never run.
#
# <cache>/KIND-VERSION/        an entry; it is renamed to that when it is complete
# <cache>/KIND-NAME.manifest   what the newest entry of that name is; KIND and NAME
#                              are whatever a script fetches, such as kernel, x86_64-4k
# <cache>/packages/            downloaded packages, reused between entries; apt has
#                              verified what is renamed to there
# <cache>/apt/                 lists of packages, see apt.sh
#
# A script that makes entries of packages sources apt.sh too, defines these, and then
# calls fetch_entry:
#   resolve NAME     prints the manifest: "entry NAME", any "KEY VALUE" lines
#                    it needs later, a "deb" line for each package; nothing
#                    if apt knows none, which is about one suite at a time
#   unpack MANIFEST PACKAGES DIR   fills DIR; dies if it cannot
#   unpack_mib MANIFEST   prints how much space unpack needs, in MiB
#   check_entry DIR  fails if the packages lacked a file that users of it need

cache_dir()
{
	local base="${XDG_CACHE_HOME:-}"
	case $base in
	/*) ;;
	*)
		# The XDG specification says to ignore a relative one.
		[ -n "${HOME:-}" ] ||
			die "cache directory: HOME is not set: set HOME or XDG_CACHE_HOME"
		base=$HOME/.cache
		;;
	esac
	case $base in
	*[[:space:]:]*)
		die "$base: make cannot build below a path with spaces or colons: set XDG_CACHE_HOME to another directory"
		;;
	esac
	base=$base/vfio-pci-subpage
	if ! mkdir -p "$base/packages" 2>/dev/null || [ ! -w "$base/packages" ]; then
		die "$base: cannot write to the cache: fix its permissions or set XDG_CACHE_HOME"
	fi
	printf '%s\n' "$base"
}

manifest_get()
{
	sed -n "s/^$2 //p" "$1" | head -n 1
}

# What the archive has is asked for once a day.
is_fresh()
{
	[ -n "$(find "$1" -mmin -1440 2>/dev/null)" ]
}

# Its stamp was written last, and names the layout.
entry_ok()
{
	[ "$(head -n 1 "$1/stamp" 2>/dev/null)" = "layout $layout" ]
}

# manifest_entry: prints the entry that the manifest names, if it is complete
manifest_entry()
{
	local dir
	dir=$cache/$(manifest_get "$manifest" entry 2>/dev/null)
	entry_ok "$dir" && printf '%s\n' "$dir"
}

# missing_debs MANIFEST: its lines for packages not in the cache
missing_debs()
{
	local key name version file rest
	while read -r key name version file rest; do
		[ "$key" != deb ] || [ -f "$cache/packages/$file" ] ||
			echo "$key $name $version $file $rest"
	done <"$1"
}

# download LIST: the packages that missing_debs listed, all in one go
download()
{
	[ -s "$1" ] || return 0
	say "downloading $(awk '{ sum += $5; names = names " " $2 }
		END { printf "%d MiB:%s", sum / 1048576 + 1, names }' "$1")"
	rm -rf "$work/get"
	mkdir "$work/get"
	# shellcheck disable=SC2046 # one word for each package
	if ! (cd "$work/get" &&
	      apt_download $(awk '{ print $2 "=" $3 }' "$1")) \
	     2>"$work/apt.log" </dev/null; then
		cause=$(sed -n 's/^E: //p' "$work/apt.log" | head -n 1)
		return 1
	fi
	mv "$work/get"/*.deb "$cache/packages/"
}

# need_room MIB: before anything is written, not in the middle of it
need_room()
{
	local free
	free=$(($(df -Pk "$cache" | awk 'NR == 2 { print $4 }') / 1024))
	[ "$free" -ge "$1" ] ||
		die "$cache: $1 MiB needed, $free MiB free: make room there or set XDG_CACHE_HOME"
}

# begin_entry NAME: one run at a time, in an empty directory $work/entry, which
# finish_entry makes the entry
begin_entry()
{
	exec 9>"$cache/.$1.lock"
	if ! flock -n 9; then
		say "waiting for another run that fetches $1"
		flock 9
	fi
	# Under the lock nobody else uses these: left by a run that was killed.
	rm -rf "$cache/.$1".tmp*
	work=$cache/.$1.tmp
	# What still unpacks in the background must end first, or it would put
	# files back while they are being removed.
	trap 'wait; rm -rf "$work"' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir -p "$work/entry"
}

# finish_entry: $work/entry is complete, as $dir
finish_entry()
{
	echo "layout $layout" >"$work/entry/stamp"
	rm -rf "$dir"
	mv "$work/entry" "$dir"
}

# ensure_entry NAME COMMAND...: $dir is the entry of that name, which the command makes in
# $work/entry. What is run later does not inherit the lock.
ensure_entry()
{
	dir=$cache/$1
	! entry_ok "$dir" || return 0
	begin_entry "$1"
	shift
	if ! entry_ok "$dir"; then
		"$@"
		finish_entry
	fi
	rm -rf "$work"
	trap - EXIT HUP INT TERM
	exec 9>&-
}

# new_manifest NAME ARCH SUITE: apt is about that suite then. Fails if it has no such thing,
# and $cause says more, if there is more.
new_manifest()
{
	apt_state "$3" "$2" || return
	resolve "$1" >"$work/manifest" </dev/null
	[ -s "$work/manifest" ]
}

# Complete the entry of $work/manifest as $dir; fails only if a download does.
make_entry()
{
	dir=$cache/$(manifest_get "$work/manifest" entry)
	entry_ok "$dir" && return 0
	missing_debs "$work/manifest" >"$work/missing"
	need_room $(($(unpack_mib "$work/manifest") + $(awk '{ sum += $5 } END { print int(sum / 1048576) + 1 }' "$work/missing")))
	download "$work/missing" || return 1
	unpack "$work/manifest" "$cache/packages" "$work/entry" >&2
	check_entry "$work/entry" ||
		die "${dir##*/}: the packages lack a file that is needed: report this, with the lists in $APT_CONFIG"
	finish_entry
}

# The lists may be old, and the archive have dropped what they name for something newer.
again_with_fresh_lists()
{
	say "download failed ($cause): trying again with fresh package lists"
	rm -f "$cache"/apt/*/updated
	new_manifest "$@" && make_entry
}

# try_suites NAME ARCH SUITE...: from the first of the suites that has it. A copy of the
# archive may lack what its lists name.
try_suites()
{
	local suite
	cause=
	for suite in "${@:3}"; do
		if new_manifest "$1" "$2" "$suite" &&
		   { make_entry || again_with_fresh_lists "$1" "$2" "$suite"; }; then
			return
		fi
	done
	return 1
}

# locked_fetch KIND NAME ARCH SUITE...
locked_fetch()
{
	local kind=$1
	shift
	if try_suites "$@"; then
		mv "$work/manifest" "$manifest"
		return
	fi
	# An older one that is there is better than nothing when there is no network.
	dir=$(manifest_entry) ||
		die "$kind $1: not to be had for $2 from ${*:3}${cause:+ ($cause)}: check the network and apt's sources"
	say "$kind $1: not to be had for $2 from ${*:3}${cause:+ ($cause)}: using ${dir##*/} from the cache"
}

# fetch_entry KIND NAME LAYOUT ARCH SUITE...: prints the directory of the newest complete
# entry. LAYOUT is a number that goes up when what unpack makes changes.
fetch_entry()
{
	local kind="$1" name="$2"
	layout=$3
	shift 3
	cache=$(cache_dir)
	manifest=$cache/$kind-$name.manifest

	if ! is_fresh "$manifest" || ! dir=$(manifest_entry); then
		# Entries of one kind have more than one name.
		begin_entry "$kind"
		locked_fetch "$kind" "$name" "$@"
	fi
	printf '%s\n' "$dir"
}
