# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# apt with a state of its own for each suite of Debian, so that packages of every
# release and architecture can be had. The machine's own apt and dpkg learn of nothing,
# and no root is needed. Sourced after lib.sh, never run.

# shellcheck source=cache.sh
. "${BASH_SOURCE[0]%/*}/cache.sh"

# An archive may be a copy that is kept as it was on some day.
readonly any_age='Acquire::Check-Valid-Until "false";'

# What apt said of the last thing that could not be had
cause=

# Each of these asks the machine's own apt.
host_apt()
{
	have apt-get || die "apt: not on this system: kernels come from Debian's packages: use PLATFORM=installed, or Debian"
	env -u APT_CONFIG "$@"
}

host_update()
{
	say "refreshing the package lists (apt-get update)"
	as_root "refresh the package lists" env -u APT_CONFIG apt-get -qq update >&2
}

# host_sources FORMAT: a line for each archive of Debian that this machine uses
host_sources()
{
	host_apt apt-get indextargets --format "\$(ORIGIN) [@] $1" 'Created-By: Packages' |
		sed -n 's/^Debian \[@\] //p' | sort -u
}

# host_acquire: how this machine's apt reaches archives, such as through a proxy
host_acquire()
{
	host_apt apt-config dump | grep '^Acquire::' | grep -v '^Acquire::IndexTargets'
}

# host_suites: of the machine's own release, that with the newest packages first
host_suites()
{
	# shellcheck disable=SC2016 # apt expands it
	host_sources '$(RELEASE)' | grep -vE -- '-(updates|backports|backports-sloppy|proposed-updates)$' |
		sort -r | paste -sd ' '
}

# archive_of SUITE: where the machine gets packages of such suites from
archive_of()
{
	local label=Debian
	[[ $1 != *-security ]] || label=Debian-Security
	# shellcheck disable=SC2016 # apt expands it
	host_sources '$(LABEL) $(REPO_URI)' | sed -n "s/^$label //p" | head -n 1
}

# source_lines URI SUITE ARCH...: for sources.list. Debian's keys, as all its releases
# have them; the name of the file has changed.
source_lines()
{
	local uri=$1 suite=$2 key
	for key in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[ ! -e "$key" ] || break
	done
	shift 2
	printf "deb [arch=%s signed-by=$key] $uri $suite main\n" "$@"
}

apt_conf()
{
	host_acquire
	cat <<-END
	Acquire::Languages "none";
	$any_age
	APT::Sandbox::User "root";
	Dir::State "$1";
	Dir::State::lists "lists";
	Dir::State::status "$1/status";
	Dir::Cache "$1";
	Dir::Etc::sourcelist "$1/sources.list";
	Dir::Etc::sourceparts "$1/parts";
	Dir::Etc::main "$1/parts/none";
	Dir::Etc::parts "$1/parts";
	APT::Architectures "";
	END
	shift
	printf 'APT::Architectures:: "%s";\n' "$@"
}

# A copy of the archive need not have each architecture of a suite whole; for want of one
# list apt takes none of the suite: what cannot be had is left out.
update_state()
{
	local dir=$1 suite=$2 arch lost
	say "fetching the package lists of $suite, some seconds"
	cp "$dir/sources.all" "$dir/sources.list"
	until apt-get -q --error-on=any update >"$dir/log" 2>&1; do
		cp "$dir/sources.list" "$dir/asked"
		mapfile -t lost < <(sed -nE 's,^Err:[0-9]+ [^ ]+ [^ ]+ ([^ ]+) Packages.*,\1,p' "$dir/log")
		for arch in "${lost[@]}"; do
			sed -i "/arch=$arch /d" "$dir/sources.list"
		done
		if cmp -s "$dir/asked" "$dir/sources.list" || [ ! -s "$dir/sources.list" ]; then
			cause="$suite: $(grep -m 1 '^E:' "$dir/log" || echo 'E: no answer')"
			return 1
		fi
	done
	touch "$dir/updated"
}

# apt_state SUITE ARCH...: apt-get and apt-cache are about that suite from now on, and
# packages of this machine's architecture and those. Old lists are better than none; if
# there are none it fails, and $cause says why.
apt_state()
{
	local suite=$1 dir uri arches
	shift
	# This machine's first: apt takes it for what it runs on.
	mapfile -t arches < <(printf '%s\n' "$(dpkg --print-architecture)" "$@" | awk '!seen[$0]++')
	dir=$(cache_dir)/apt/$suite-$(printf '%s\n' "${arches[@]}" | sort | paste -sd -)
	uri=$(archive_of "$suite")
	# Without lists apt does not know whose archives it uses.
	if [ -z "$uri" ] && [ -z "$(host_sources x)" ] && host_update; then
		uri=$(archive_of "$suite")
	fi
	if [ -z "$uri" ]; then
		cause="$suite: this machine's apt uses no such archive of Debian"
		return 1
	fi
	mkdir -p "$dir"/{lists/partial,archives/partial,parts}
	: >>"$dir/status"
	source_lines "$uri" "$suite" "${arches[@]}" >"$dir/sources.all"
	apt_conf "$dir" "${arches[@]}" >"$dir/apt.conf"
	export APT_CONFIG=$dir/apt.conf
	exec 8>"$dir/lock"
	flock 8
	# The lists of one day will do.
	is_fresh "$dir/updated" || update_state "$dir" "$suite" || :
	exec 8>&-
	[ -e "$dir/updated" ]
}

# apt_show PACKAGE...: the newest stanzas of exactly these
apt_show()
{
	LC_ALL=C apt-cache show --no-all-versions "$@" 2>/dev/null || :
}

# apt_field FIELD: of the first stanza on stdin
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
		name = f["Package"] (f["Architecture"] == "all" ? "" : ":" f["Architecture"])
		if (f["Package"] != "")
			print "deb", name, f["Version"], f["Package"] "_" \
			      version "_" f["Architecture"] ".deb", \
			      f["Size"], f["Installed-Size"] + 0
		split("", f)
	}
	/^$/ { flush(); next }
	/^[A-Z][A-Za-z0-9-]*: / { f[substr($1, 1, length($1) - 1)] = $2 }
	END { flush() }'
}

# apt_download PACKAGE=VERSION...: into the current directory.
# apt-get's progress is for people; in a log it is noise.
apt_download()
{
	if [ -t 2 ]; then
		apt-get download "$@" >&2
	else
		apt-get download "$@" -qq >/dev/null
	fi
}
