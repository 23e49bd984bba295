#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# fresh.sh SUITE root|user COMMAND...
#
# Make a minimal root of a release of Debian, such as bookworm, trixie or forky, and run
# commands in a fresh clone of this project there, as root or as a user with sudo. 1 and 2
# stand for those under "Two commands" of the README. Nothing but sudo and make is there.
# Needs root; the directory is removed at the end.

set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname -- "$0")/../lib.sh"
cd -- "$(dirname -- "$0")/../.."
# shellcheck source=../build/apt.sh
. scripts/build/apt.sh

# readme_command N: of those under the heading
readme_command()
{
	sed -n '/^## Two commands/,/^## /s/^    \([a-z].*[^ ]\)  *#.*/\1/p' README.md | sed -n "$1p"
}

# The suites of a machine that somebody has just installed.
sources()
{
	source_lines "$(archive_of "$1")" "$1"
	case $1 in
	sid | forky) ;;
	*)
		source_lines "$(archive_of "$1")" "$1-updates"
		source_lines "$(archive_of "$1-security")" "$1-security"
		;;
	esac
}

make_root()
{
	say "making a root of $1, half a minute"
	host_acquire >"$tmp/apt.conf"
	# What it mounts goes with it, however it ends.
	sources "$1" | sed 's/arch=[^ ]* //' |
		unshare --mount mmdebstrap --quiet --mode=root --variant=minbase --include=sudo,passwd,make \
			--aptopt="$tmp/apt.conf" --aptopt="$any_age" '' "$tmp/root" - >&2 ||
		die "$1: mmdebstrap failed: look above for its reason"
	cp /etc/resolv.conf "$tmp/root/etc/"
	echo "127.0.0.1 localhost $(hostname)" >"$tmp/root/etc/hosts"
	chroot "$tmp/root" useradd -m -s /bin/bash user
	echo 'user ALL=(ALL) NOPASSWD: ALL' >"$tmp/root/etc/sudoers.d/user"
	git clone -q --no-hardlinks . "$tmp/root/home/user/project"
	chroot "$tmp/root" chown -R user: /home/user
}

# in_root USER COMMAND: in the clone, with mounts and processes of its own. In a root that
# chroot made the kernel allows a user no user namespaces.
in_root()
{
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --mount --pid --fork --kill-child sh -c '
		mount --bind "$1" "$1" && cd "$1" && mount -t proc proc proc &&
			mount --rbind /sys sys && mount --rbind /dev dev && pivot_root . mnt &&
			cd / && umount -l /mnt && exec su - "$2" -c "$3"' \
		sh "$tmp/root" "$1" "export FRESH_ROOT=1; cd /home/user/project && { $2; }"
}

main()
{
	[ $# -ge 3 ] || usage "SUITE root|user COMMAND..."
	local suite=$1 user=$2 start command
	shift 2
	[ "$(id -u)" = 0 ] || die "roots of Debian are made by root"
	scripts/packages.sh cross
	tmp=$(mktemp -d)
	trap 'rm -rf --one-file-system "$tmp"' EXIT
	trap 'exit 143' TERM INT HUP
	make_root "$suite"
	# git, of others' files.
	[ "$user" = user ] || chroot "$tmp/root" chown -R root: /home/user/project
	for command; do
		[[ $command != [12] ]] || command=$(readme_command "$command")
		say "$suite, $user: $command"
		start=$SECONDS
		in_root "$user" "$command"
		say "$suite, $user: $command: $((SECONDS - start)) s"
	done
}

main "$@"
