# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# shellcheck disable=SC3043 # "local": dash, busybox ash and bash all have it
#
# apt, and the cache of what was made of its packages. Sourced after lib.sh,
# never run.

# ---- apt ----

apt_lists=/var/lib/apt/lists

have_apt()
{
	have dpkg-query && have apt-get && have apt-cache
}

have_apt_lists()
{
	[ -n "$(find "$apt_lists" -maxdepth 1 -name '*_Packages*' \
		-print -quit 2>/dev/null)" ]
}

apt_update()
{
	say "refreshing the package lists (apt-get update)"
	as_root "refresh the package lists" apt-get -qq update >&2
}

# host_sources FORMAT: a line for each archive of Debian that this machine uses
host_sources()
{
	apt-get indextargets --format "\$(ORIGIN) [@] $1" 'Created-By: Packages' |
		sed -n 's/^Debian \[@\] //p' | sort -u
}

# host_acquire: how this machine's apt reaches archives, such as through a proxy
host_acquire()
{
	apt-config dump | grep '^Acquire::' | grep -v '^Acquire::IndexTargets'
}

# apt_show PACKAGE[=VERSION]...: the stanzas of exactly these, newest if bare.
apt_show()
{
	LC_ALL=C apt-cache show --no-all-versions "$@" 2>/dev/null || :
}

# apt_field FIELD: of the first stanza on stdin.
apt_field()
{
	sed -n "s/^$1: //p" | head -n 1
}

# A manifest line per stanza: deb NAME VERSION FILE BYTES UNPACKED-KIB
manifest_debs()
{
	awk '
	function flush() {
		version = f["Version"]
		# So apt-get download names a file whose version has an epoch.
		sub(/:/, "%3a", version)
		if (f["Package"] != "")
			print "deb", f["Package"], f["Version"], f["Package"] "_" \
			      version "_" f["Architecture"] ".deb", \
			      f["Size"], f["Installed-Size"] + 0
		split("", f)
	}
	/^$/ { flush(); next }
	/^[A-Z][A-Za-z0-9-]*: / { f[substr($1, 1, length($1) - 1)] = $2 }
	END { flush() }'
}

# ---- the cache ----
#
# <cache>/KIND-VERSION/        an entry; it is renamed to that when it is complete
# <cache>/KIND-SERIES.manifest what the apt lists said the newest entry is
# <cache>/packages/            downloaded packages, reused between entries; apt has
#                              verified what is renamed to there
#
# A script that fetches packages of this machine's architecture and release defines,
# and then calls fetch_entry:
#   resolve SERIES   prints the manifest: "entry NAME", any "KEY VALUE" lines
#                    it needs later, a "deb" line for each package; nothing
#                    if the apt lists do not have that series
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

# The manifest stays true until apt's lists or sources change; asking apt-cache
# each time would cost half a second per question.
manifest_fresh()
{
	[ -s "$1" ] && have_apt_lists &&
		[ -z "$(find "$apt_lists" /etc/apt -name partial -prune -o \
			-name lock -o -newer "$1" -print -quit 2>/dev/null)" ]
}

# Its stamp was written last, and names the layout.
entry_ok()
{
	[ "$(head -n 1 "$1/stamp" 2>/dev/null)" = "layout $layout" ]
}

# newest_entry KIND SERIES: of the complete ones that are there.
newest_entry()
{
	local entry
	find "$cache" -maxdepth 1 -type d -name "$1-$2.*" | sort -rV |
	while read -r entry; do
		if entry_ok "$entry"; then
			printf '%s\n' "$entry"
			break
		fi
	done
}

# apt_download PACKAGE=VERSION...: into the current directory.
# apt-get's progress is for people; in a log it is noise.
apt_download()
{
	# Only _apt may not write into a cache below a private home directory;
	# telling apt so in advance keeps it from warning about it.
	set -- apt-get -o APT::Sandbox::User=root download "$@"
	if [ -t 2 ]; then
		"$@" >&2
	else
		"$@" -qq >/dev/null
	fi
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

# new_manifest KIND SERIES: asks apt, writes $manifest; fails if apt knows none.
new_manifest()
{
	have_apt_lists || return 1
	resolve "$2" >"$work/manifest" </dev/null
	[ -s "$work/manifest" ] || return 1
	mv "$work/manifest" "$manifest"
}

# Complete the entry of $manifest as $dir; fails only if a download does.
make_entry()
{
	dir=$cache/$(manifest_get "$manifest" entry)
	entry_ok "$dir" && return 0
	missing_debs "$manifest" >"$work/missing"
	need_room $(($(unpack_mib "$manifest") + $(awk '{ sum += $5 } END { print int(sum / 1048576) + 1 }' "$work/missing")))
	download "$work/missing" || return 1
	unpack "$manifest" "$cache/packages" "$work/entry" >&2
	check_entry "$work/entry" ||
		die "${dir##*/}: the packages lack a file that is needed: report this, with $manifest"
	finish_entry
}

# The older one that is there is better than nothing when there is no network.
fall_back()
{
	dir=$(newest_entry "$1" "$2")
	[ -n "$dir" ] || return 1
	say "$3: using ${dir##*/} from the cache"
}

locked_fetch()
{
	local kind="$1" series="$2"
	cause=

	if ! manifest_fresh "$manifest" && ! new_manifest "$kind" "$series"; then
		fall_back "$kind" "$series" "no package list has $kind $series" && return
		apt_update || die "$kind $series: no package list has it: run apt-get update as root"
		new_manifest "$kind" "$series" ||
			die "$kind $series: no package in the configured archives: enable the Debian 12 security and updates archives in /etc/apt/sources.list, then run apt-get update as root"
	fi
	make_entry && return

	# Usual cause: the lists are old, and the archive has dropped what they
	# name for something newer.
	say "download failed ($cause): trying again with fresh package lists"
	apt_update && new_manifest "$kind" "$series" && make_entry && return
	fall_back "$kind" "$series" "download failed ($cause)" ||
		die "$kind $series: download failed ($cause): check the network and the apt sources"
}

# fetch_entry KIND SERIES LAYOUT: prints the directory of the newest complete
# entry.  LAYOUT is a number that goes up when what unpack makes changes.
fetch_entry()
{
	local kind="$1" series="$2"
	layout=$3
	cache=$(cache_dir)
	manifest=$cache/$kind-$series.manifest

	if manifest_fresh "$manifest"; then
		dir=$cache/$(manifest_get "$manifest" entry)
		if entry_ok "$dir"; then
			printf '%s\n' "$dir"
			return
		fi
	fi
	have_apt || die "apt: not on this system: $kind $series comes from Debian packages, use Debian 12"

	begin_entry "$kind-$series"
	locked_fetch "$kind" "$series"
	printf '%s\n' "$dir"
}
