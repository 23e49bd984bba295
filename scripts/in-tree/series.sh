# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # home, tree, version, identity, work: tree.sh
#
# The steps as patches: commits in a repository that holds only the files they
# touch. Sourced by in-tree.sh, never run.

# git with nothing of the user's configuration but the name.
series_git()
{
	local name="${identity% <*}" mail="${identity##*<}"
	mail=${mail%>}
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
	GIT_AUTHOR_NAME=$name GIT_AUTHOR_EMAIL=$mail \
	GIT_COMMITTER_NAME=$name GIT_COMMITTER_EMAIL=$mail \
		git --git-dir="$work/git" --work-tree="$work/new" "$@"
}

# message NAME: without its comments
message()
{
	grep -v '^#' "$home/scripts/in-tree/$1.txt"
}

commit()
{
	series_git add -A -f .
	series_git commit -q --no-verify "$@"
}

make_series()
{
	local step
	series_git init -q -b vfio-pci-subpage
	commit -m "Linux $version"
	for step in $(steps); do
		"step_$step"
		refuse_clash
		message "$step" | commit -s -F -
	done
	series_git config branch.vfio-pci-subpage.description "$(message cover)

Made for Linux $version."
	(cd "$work/new" && series_git format-patch -q --cover-letter \
		--cover-from-description=subject --no-signature -o "$1" \
		"HEAD~$(steps | wc -l)")
	find "$1" -name '*.patch' | LC_ALL=C sort
}
