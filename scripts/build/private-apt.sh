# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# apt with sources, lists and architectures of its own: nothing is installed, and
# the machine's apt and dpkg learn of nothing. Root is not needed. Sourced after
# lib.sh, never run.

# private_apt DIR ARCH...: apt is this one from now on. Its sources come from stdin,
# its lists are kept in DIR/lists. It has what the machine's own apt is told of how
# to reach archives, such as a proxy; that may have changed since the last time.
private_apt()
{
	local dir=$1 arch
	shift
	mkdir -p "$dir"/{lists/partial,archives/partial,parts}
	: >"$dir/status"
	sort -u >"$dir/sources.list"
	{
		apt-config dump | grep '^Acquire::' | grep -v '^Acquire::IndexTargets'
		cat <<-END
		Acquire::Languages "none";
		APT::Architecture "$1";
		APT::Architectures "";
		APT::Sandbox::User "root";
		Dir::State "$dir";
		Dir::State::lists "lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "$dir/parts";
		Dir::Etc::main "$dir/parts/none";
		Dir::Etc::parts "$dir/parts";
		END
		for arch; do
			echo "APT::Architectures:: \"$arch\";"
		done
	} >"$dir/apt.conf"
	export APT_CONFIG=$dir/apt.conf
}

# host_targets FORMAT: for each source of the machine's own that is Debian's
host_targets()
{
	apt-get indextargets --format "\$(ORIGIN) [@] $1" 'Created-By: Packages' |
		sed -n 's/^Debian \[@\] //p' | sort -u
}
