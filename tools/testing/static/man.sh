#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The man pages: mandoc has nothing to say about them; the sentences in their tables of
# errors are those that the kernel can give back, with the same errno; every name of the
# user interface is in one of them; and they refer to nothing that is not there

set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tap.sh
. "$here/../tap.sh"
cd "$here/../../.." || exit 1

command -v mandoc >/dev/null || tap_skip_all "no mandoc (scripts/setup installs it)"
man=Documentation/man
uapi=linux/include/uapi/linux/io_uring/zc_rx.h
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# kernel_sentences: "ERRNO|SENTENCE" of all that the series has for an extack, numbers as N.
# ERRNO is "any" where the statements that follow do not name one.
# New files are read as they are. Of files that exist before the series, sentences count
# that the patches add and do not take away again; what is in the context of a hunk is both.
# shellcheck disable=SC2016 # perl's
kernel_sentences() {
	find linux/io_uring linux/net linux/drivers linux/include -name '*.[ch]' ! -name '*_test.c' -print0 |
		sort -z | xargs -0 perl -e '
	my (%count, %errno);

	sub read_code {
		my ($code, $file, $sign) = @_;

		while ($code =~ /(SET_ERR_MSG\w*)\s*\([^;"]*"((?:[^"\\]|\\.)*)"([^;]*);/g) {
			my ($macro, $text, $rest) = ($1, $2, substr($code, pos $code, 300));

			$text = "bnxt_en: $text" if $macro =~ /_MOD\b/ && $file =~ m,/bnxt/,;
			$text =~ s/%[-0-9.]*(?:l|ll|z)?[diuxs]/N/g;
			$text =~ s/[0-9]+/N/g;
			$rest =~ s/(?:SET_ERR_MSG|\}).*//s;
			$count{$text} += $sign;
			$errno{$text}{$rest =~ /-(E[A-Z]+)\b/ ? $1 : "any"} = 1 if $sign > 0;
		}
	}

	sub slurp {
		open my $f, "<", $_[0] or die "$_[0]: $!";
		local $/;
		return <$f>;
	}

	read_code(slurp($_), $_, 1) for @ARGV;
	for my $patch (grep { !/^\s*(?:#|$)/ } split /\n/, slurp("linux/series")) {
		my (undef, @files) = split m,^\+\+\+ b/,m, slurp("linux/patches/$patch");

		for (@files) {
			my ($file, @lines) = split /\n/;
			my %side = ("+" => "", "-" => "");

			next if -e "linux/$file";
			for my $line (@lines) {
				my $kind = substr $line, 0, 1;

				$line = "}" if $kind eq "@";
				for my $s ("+", "-") {
					$side{$s} .= substr($line, $kind eq "@" ? 0 : 1) . "\n"
						if $kind eq $s || $kind =~ /[ @]/;
				}
			}
			read_code($side{"+"}, $file, 1);
			read_code($side{"-"}, $file, -1);
		}
	}
	for my $text (grep { $count{$_} > 0 } keys %count) {
		print "$_|$text\n" for keys %{$errno{$text}};
	}' | sort -u
}

# page_sentences PAGE...: the same of the tables
page_sentences() {
	sed -n 's/^\.BI "\(E[A-Z]*\|any\): " "\(.*\)"$/\1|\2/p' "$@" | sed -E 's/\\-/-/g; s/[0-9]+/N/g' | sort -u
}

# Names that a program can use: macros, enumerators, structs and their fields
uapi_names() {
	sed -n -E 's/^#define[[:space:]]+(IOR[A-Z_]+).*/\1/p
		s/^[[:space:]]+(IORING_[A-Z_]+)[[:space:]]*=.*/\1/p
		s/^[[:space:]]+(__u(8|16|32|64)|struct [a-z_]+)[[:space:]]+([a-z0-9_]+).*;/\3/p
		s/^struct ([a-z_]+) \{/\1/p' "$uapi" | grep -v '^__' | sort -u
}

# What the pages say, one word a line
page_words() { sed 's/\\-/-/g; s/\\&//g' "$man"/* | grep -oE '[A-Za-z_][A-Za-z0-9_]*' | sort -u; }

# Pages that are referred to, of this project
missing_pages() {
	local name section

	sed -n -E 's/.*\b(io_uring_[a-z_]*zc[a-z_]*|zcrx-[a-z]+) \(([0-9])\).*/\1 \2/p' "$man"/* | sort -u |
		while read -r name section; do
			[ -f "$man/$name.$section" ] || echo "$name($section)"
		done
}

for page in "$man"/*; do
	tap_eq "$(mandoc -T lint -W warning "$page" 2>&1)" '' "mandoc: ${page##*/}"
done

kernel_sentences >"$tmp/kernel"
page_sentences "$man"/* >"$tmp/pages"
cut -d '|' -f 2 "$tmp/kernel" | sort -u >"$tmp/kernel.text"
cut -d '|' -f 2 "$tmp/pages" | sort -u >"$tmp/pages.text"
tap_ok "sentences were found in the new files" \
	grep -qxF "no registered buffer N" "$tmp/kernel.text"
tap_ok "... and in the patches, with the name of the driver where it is part of them" grep -q "^bnxt_en: " "$tmp/kernel.text"
tap_eq "$(comm -23 "$tmp/kernel.text" "$tmp/pages.text")" '' "each sentence of the kernel is in a page"
tap_eq "$(comm -13 "$tmp/kernel.text" "$tmp/pages.text")" '' "each sentence of a page is one of the kernel"
tap_eq "$(grep -v '^any|' "$tmp/kernel" | comm -23 - "$tmp/pages")" '' "with the same errno"
uapi_names >"$tmp/names"
tap_ok "names of the user interface were found" test "$(wc -l <"$tmp/names")" -ge 40
tap_eq "$(page_words | comm -23 "$tmp/names" -)" '' "each name of the user interface is in a page"
tap_eq "$(missing_pages)" '' "each page that is referred to is there"
tap_done
