# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Packages of other suites of Debian than this machine's. apt fetches them in
# directories of its own, so that this needs no root and changes nothing on the
# machine, and checks signatures and sums as it always does. The mirror is the one
# that the machine's own package lists name.
#
# For scripts that have a function say(), which tells the user.

# apt_settings DIR URI SUITES: settings for a directory of its own. How this machine reaches its mirror
# (proxies, credentials, time-outs) is taken over; hooks and pinning are not.
apt_settings() {
	local keys=/usr/share/keyrings/debian-archive-keyring

	mkdir -p "$1/lists/partial" "$1/archives/partial" "$1/sources" "$1/empty"
	apt-config dump | grep '^Acquire::' >"$1/apt.conf" || true
	cat >>"$1/apt.conf" <<-END
		Dir::State "$1";
		Dir::State::lists "$1/lists";
		Dir::State::status "/dev/null";
		Dir::Cache "$1";
		Dir::Etc::main "/dev/null";
		Dir::Etc::parts "$1/empty";
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$1/sources";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "$1/empty";
		APT::Sandbox::User "";
		APT::Update::Error-Mode "any";
		APT::Get::AllowUnauthenticated "false";
		Acquire::AllowInsecureRepositories "false";
		Acquire::Languages "none";
		Acquire::Retries "2";
	END
	cat >"$1/sources/zcrx.sources" <<-END
		Types: deb
		URIs: $2
		Suites: $3
		Components: main
	END
	for keys in "$keys.gpg" "$keys.pgp"; do
		[ -f "$keys" ] || continue
		echo "Signed-By: $keys" >>"$1/sources/zcrx.sources"
		break
	done
}

# apt_in DIR COMMAND...: apt with those settings
apt_in() {
	APT_CONFIG=$1/apt.conf "${@:2}"
}

# Where this machine gets Debian from, whatever the format of its lists
debian_mirrors() {
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk '$2 == "main" && $3 !~ /security/ { print ($1 == "Debian" ? 0 : 1), $4 }' | sort -u | cut -d' ' -f2-
}

# explain_apt LOG WHAT: what went wrong, in words; apt's own are in LOG
explain_apt() {
	if grep -qE 'NO_PUBKEY|not signed|EXPKEYSIG|Missing key|signatures' "$1"; then
		say "$2: the keys on this machine do not verify it; a newer debian-archive-keyring would" \
			"('apt-get install debian-archive-keyring' from a supported Debian)"
	elif grep -qE 'Temporary failure|resolv|Could not connect|Unable to connect|timed out|unreachable' "$1"; then
		say "$2: the mirror cannot be reached; is this machine offline?"
	elif grep -qE '404|does not have a Release file' "$1"; then
		say "$2: the mirror does not have it"
	else
		say "$2: apt cannot read it:"
		sed -n 's/^[EW]: /    /p' "$1" | head -n 3 >&2
	fi
}
