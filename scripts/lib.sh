# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# shellcheck disable=SC3043 # "local": dash, busybox ash and bash all have it
#
# Messages, and root for what cannot be done without. Sourced, never run. POSIX
# sh with "local": the scripts that bind devices run under busybox ash too.

me=${0##*/}

# Where depmod and modprobe live is not in the PATH of an ordinary Debian user.
PATH=$PATH:/usr/sbin:/sbin

# ---- messages: one line on stderr, "script: thing: cause: remedy" ----

say()
{
	printf '%s: %s\n' "$me" "$*" >&2
}

die()
{
	say "$*"
	exit 1
}

usage()
{
	say "usage: $me $*"
	exit 2
}

# show_help: the comment at the top of the script, whose first lines are its use
show_help()
{
	awk -v me="$me" '
		NR < 4 { next }
		!/^#/ || /^# shellcheck/ { exit }
		{ sub(/^# ?/, "") }
		me !~ /\.sh$/ { gsub(/\.sh/, "") }
		/^$/ { body = 1 }
		{ print (body ? "" : NR == 4 ? "Usage: " : "  or:  ") $0 }' "$0"
	exit
}

have()
{
	command -v "$1" >/dev/null 2>&1
}

# ---- root, only for what cannot be done without ----

# as_root WHY COMMAND...: WHY tells the user what the password is for.
as_root()
{
	local why="$1"
	shift
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif ! have sudo; then
		say "cannot $why: not root and no sudo"
		return 1
	elif (: </dev/tty) 2>/dev/null; then
		say "sudo is used to $why"
		sudo "$@"
	else
		# Nobody is there to type a password: fail rather than hang.
		sudo -n "$@"
	fi
}
