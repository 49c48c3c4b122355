# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# bash completion of zcrx-recv, zcrx-send and zcrx-flow. Options, and what their arguments are,
# come from the program's --help, so that they are those of the version that is installed.

# _zcrx_tags PROGRAM: what stands before the explanation in each line of an option:
# "-i, --interface IFACE", "--require-zerocopy[=PERCENT]"
_zcrx_tags() {
	"$1" --help 2>/dev/null | sed -n -E 's/^ {2,6}(-.*)/\1/; T; s/ {2,}.*//; p'
}

# _zcrx_options PROGRAM: one a line
_zcrx_options() {
	_zcrx_tags "$1" | grep -oE -- '(^|[ ,])--?[a-zA-Z0-9][a-z0-9-]*' | tr -d ' ,'
}

# _zcrx_argument PROGRAM OPTION: the word for its argument; nothing where it has none
_zcrx_argument() {
	_zcrx_tags "$1" | grep -E -- "(^|[ ,])$2([ ,[]|$)" | head -n 1 |
		sed -n -E 's/.*--?[a-zA-Z0-9][a-z0-9-]* ([^ -].*)$/\1/p'
}

# _zcrx_choices PROGRAM OPTION: the words that explain themselves one a line, as
# those of --backend: "auto: ...", "rbuf: ..."
_zcrx_choices() {
	"$1" --help 2>/dev/null | awk -v option="$2" '
		/^ ? ? ? ? ? ?-/ { on = index($0 " ", option " "); if (on) sub(/^ *[^ ]+ [^ ]+ +/, "") }
		on { sub(/^ +/, ""); if (match($0, /^[a-z0-9-]+:/)) print substr($0, 1, RLENGTH - 1) }'
}

_zcrx_interfaces() { ls /sys/class/net 2>/dev/null; }

# The interface on the command line, after -i or as the operand of zcrx-flow
_zcrx_interface() {
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-i | --interface | up | down | status)
			printf '%s\n' "${COMP_WORDS[i + 1]}"
			return
			;;
		esac
	done
}

# _zcrx_queues BEFORE: numbers, each after what stands there already of a list: "4-", "2,3,"
_zcrx_queues() {
	local queue

	for queue in /sys/class/net/"$(_zcrx_interface)"/queues/rx-*; do
		[ ! -e "$queue" ] || printf '%s\n' "$1${queue##*/rx-}"
	done
}

# Completes the argument of the option before the cursor; false where that has none
_zcrx_complete_argument() {
	local option=$1 cur=$2 argument

	[[ $option == -* ]] || return 1
	argument=$(_zcrx_argument "${COMP_WORDS[0]}" "$option")
	[ -n "$argument" ] || return 1
	case $option:$argument in
	*:IFACE) mapfile -t COMPREPLY < <(compgen -W "$(_zcrx_interfaces)" -- "$cur") ;;
	-q:LIST | --queue:LIST) mapfile -t COMPREPLY < <(compgen -W "$(_zcrx_queues "${cur%"${cur##*[,-]}"}")" -- "$cur") ;;
	-q:* | --queue:*) mapfile -t COMPREPLY < <(compgen -W "$(_zcrx_queues '')" -- "$cur") ;;
	*:FILE | *:PATH) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	*:DIR) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
	*:NAME) mapfile -t COMPREPLY < <(compgen -W "$(_zcrx_choices "${COMP_WORDS[0]}" "$option")" -- "$cur") ;;
	*:HOST) mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur") ;;
	esac
	return 0
}

_zcrx() {
	local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} words=''

	COMPREPLY=()
	! _zcrx_complete_argument "$before" "$cur" || return 0
	case ${program##*/}:$COMP_CWORD in
	zcrx-recv:1) words=check ;;
	zcrx-flow:1) words='up down status' ;;
	zcrx-flow:2) words=$(_zcrx_interfaces) ;;
	zcrx-send:1) [[ $cur == -* ]] || mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur") ;;
	esac
	if [[ $cur == -* ]]; then
		words+=" $(_zcrx_options "$program")"
	fi
	[ -z "$words" ] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -o filenames -F _zcrx zcrx-recv zcrx-send zcrx-flow
