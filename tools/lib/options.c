// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMN	26

static bool is_end(const struct option_def *d)
{
	return !d->name && !d->help;
}

static int arg_kind(const struct option_def *d)
{
	if (!d->arg)
		return no_argument;
	return d->arg[0] == '[' ? optional_argument : required_argument;
}

/* Turns the table into what getopt_long() takes; room is for every entry. */
static void fill_getopt(const struct option_def *defs, struct option *longs, char *shorts)
{
	/* a leading ':' makes getopt tell a missing argument from an unknown option */
	*shorts++ = ':';
	for (; !is_end(defs); defs++) {
		if (!defs->name)
			continue;
		*longs++ = (struct option){ defs->name, arg_kind(defs), NULL, defs->key };
		if (defs->key >= OPTION_LONG)
			continue;
		*shorts++ = (char)defs->key;
		if (arg_kind(defs) != no_argument)
			*shorts++ = ':';
	}
	*shorts = '\0';
	*longs = (struct option){ 0 };
}

/**
 * option_name() - long name of an option, for messages
 * @defs: option table
 * @key: key of the option
 *
 * Return: the name without dashes, "?" if the table has no such key.
 */
const char *option_name(const struct option_def *defs, int key)
{
	for (; !is_end(defs); defs++)
		if (defs->name && defs->key == key)
			return defs->name;
	return "?";
}

static int parse_all(const struct option_parser *p, int argc, char **argv,
		     const struct option *longs, const char *shorts)
{
	int key;

	opterr = 0;
	optind = 1;
	while ((key = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (key == '?' || key == ':') {
			fprintf(stderr, "%s: %s: %s; see %s --help\n", p->prog, argv[optind - 1],
				key == '?' ? "no such option" : "needs an argument", p->prog);
			return -EINVAL;
		}
		if (p->apply(p->ctx, key, optarg) < 0)
			return -EINVAL;
	}
	return optind;
}

/**
 * options_parse() - read a command line by an option table
 * @p: table and callback
 * @argc: as main() got it
 * @argv: as main() got it; operands are moved to its end
 *
 * Return: index of the first operand, -EINVAL after a message on stderr,
 * -ENOMEM.
 */
int options_parse(const struct option_parser *p, int argc, char **argv)
{
	struct option *longs;
	size_t n = 1;
	char *shorts;
	int ret;

	for (const struct option_def *d = p->defs; !is_end(d); d++)
		n++;
	longs = calloc(n, sizeof(*longs));
	shorts = calloc(n, 3);
	if (longs && shorts) {
		fill_getopt(p->defs, longs, shorts);
		ret = parse_all(p, argc, argv, longs, shorts);
	} else {
		ret = -ENOMEM;
	}
	free(shorts);
	free(longs);
	return ret;
}

static void help_line(const struct option_def *d, FILE *out)
{
	const char *text = d->help;
	int used;

	if (d->key < OPTION_LONG)
		used = fprintf(out, "  -%c, --%s", d->key, d->name);
	else
		used = fprintf(out, "      --%s", d->name);
	if (d->arg)
		used += fprintf(out, "%s%s", d->arg[0] == '[' ? "" : " ", d->arg);
	if (used >= HELP_COLUMN) {
		fputc('\n', out);
		used = 0;
	}
	while (*text) {
		size_t n = strcspn(text, "\n");

		fprintf(out, "%*s%.*s\n", HELP_COLUMN - used, "", (int)n, text);
		used = 0;
		text += n + (text[n] == '\n');
	}
}

/**
 * options_help() - print a table as the options part of a help text
 * @defs: option table
 * @out: where to print
 */
void options_help(const struct option_def *defs, FILE *out)
{
	for (; !is_end(defs); defs++) {
		if (defs->name)
			help_line(defs, out);
		else
			fprintf(out, "\n%s\n", defs->help);
	}
}

/**
 * parse_uint() - a decimal number, nothing else around it
 * @text: what the user wrote
 * @out: the number
 *
 * Return: 0, -EINVAL when it is no number, -ERANGE when it exceeds 64 bits.
 */
int parse_uint(const char *text, uint64_t *out)
{
	char *end;

	/* strtoull() takes signs and blanks; a size or a count has neither */
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	*out = strtoull(text, &end, 10);
	if (*end)
		return -EINVAL;
	return errno ? -ERANGE : 0;
}

/**
 * parse_size() - a number of bytes with an optional unit
 * @text: digits, then nothing or one of K M G T (powers of 1024, any case),
 *	which "iB" or "B" may follow
 * @out: the size in bytes
 *
 * Return: 0, -EINVAL when it is no size, -ERANGE when it exceeds 64 bits.
 */
int parse_size(const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	unsigned int shift = 0;
	uint64_t n;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	if (*end) {
		const char *unit = strchr(units, toupper((unsigned char)*end));

		if (unit) {
			shift = 10 * (unsigned int)(unit - units + 1);
			end++;
			if (end[0] == 'i' && end[1] != 'B')
				return -EINVAL;
			end += *end == 'i';
		}
		end += *end == 'B';
		if (*end)
			return -EINVAL;
	}
	if (shift && n >> (64 - shift))
		return -ERANGE;
	*out = n << shift;
	return 0;
}

/**
 * parse_rate() - bits a second, as iperf3 and tc have them
 * @text: digits, optionally a point and digits, then nothing or one of K M G T
 *	(powers of 1000, any case)
 * @out: the rate in bytes a second, rounded down
 *
 * Return: 0, -EINVAL when it is no rate, -ERANGE when it is less than a byte a second, or
 * exceeds 64 bits.
 */
int parse_rate(const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	uint64_t whole, part = 0, unit = 1, scale = 1;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	whole = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	if (*end == '.')
		for (end++; isdigit((unsigned char)*end) && scale < 1000000; end++) {
			scale *= 10;
			part = part * 10 + (uint64_t)(*end - '0');
		}
	if (*end) {
		const char *at = strchr(units, toupper((unsigned char)*end++));

		for (unit = 1000; at && at > units; at--)
			unit *= 1000;
		if (!at || *end)
			return -EINVAL;
	}
	if (whole > (UINT64_MAX >> 1) / unit)
		return -ERANGE;
	*out = (whole * unit + part * unit / scale) / 8;
	return *out ? 0 : -ERANGE;
}

/**
 * parse_seconds() - a time in seconds, with decimals if the user likes
 * @text: digits, optionally a point and up to nine digits
 * @ns: the time in nanoseconds
 *
 * Return: 0, -EINVAL when it is no time, -ERANGE when it exceeds 100 years.
 */
int parse_seconds(const char *text, uint64_t *ns)
{
	uint64_t whole, part = 0, unit = 1000000000;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	whole = strtoull(text, &end, 10);
	if (errno || whole > 3155760000U)
		return -ERANGE;
	if (*end == '.') {
		for (end++; isdigit((unsigned char)*end) && unit > 1; end++) {
			unit /= 10;
			part += unit * (uint64_t)(*end - '0');
		}
	}
	if (*end)
		return -EINVAL;
	*ns = whole * 1000000000 + part;
	return 0;
}
