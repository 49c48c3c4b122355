// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers, sizes and times that users write, and option tables. */
#include <getopt.h>
#include <unistd.h>

#include "../tap.h"
#include "options.h"

static void test_sizes(void)
{
	static const struct {
		const char *text;
		int err;
		uint64_t want;
	} cases[] = {
		{ "0", 0, 0 },
		{ "1", 0, 1 },
		{ "4096", 0, 4096 },
		{ "1K", 0, 1024 },
		{ "1k", 0, 1024 },
		{ "64M", 0, 64 << 20 },
		{ "64MiB", 0, 64 << 20 },
		{ "64MB", 0, 64 << 20 },
		{ "512B", 0, 512 },
		{ "2G", 0, 2ULL << 30 },
		{ "3T", 0, 3ULL << 40 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "16777216T", -ERANGE, 0 },
		{ "16777215T", 0, 16777215ULL << 40 },
		{ "", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "K", -EINVAL, 0 },
		{ "1X", -EINVAL, 0 },
		{ "1Ki", -EINVAL, 0 },
		{ "1KK", -EINVAL, 0 },
		{ "1iB", -EINVAL, 0 },
		{ "1.5G", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got = 0;
		int err = parse_size(cases[i].text, &got);

		tap_ok(err == cases[i].err && (err || got == cases[i].want), "size \"%s\"",
		       cases[i].text);
	}
}

static void test_rates(void)
{
	static const struct {
		const char *text;
		int err;
		uint64_t want;
	} rates[] = {
		{ "8", 0, 1 }, { "7", -ERANGE, 0 }, { "0", -ERANGE, 0 }, { "1K", 0, 125 },
		{ "100M", 0, 12500000 }, { "2.5G", 0, 312500000 }, { "2.5g", 0, 312500000 },
		{ "1T", 0, 125000000000 }, { "0.008K", 0, 1 }, { "1.G", 0, 125000000 },
		{ "1.23456789M", -EINVAL, 0 }, { "9223372036854775807", 0, 1152921504606846975 },
		{ "18446744073709551616", -ERANGE, 0 }, { "9999999999999T", -ERANGE, 0 },
		{ "", -EINVAL, 0 }, { "G", -EINVAL, 0 }, { "-1", -EINVAL, 0 }, { "1Q", -EINVAL, 0 },
		{ "1GB", -EINVAL, 0 }, { " 1", -EINVAL, 0 }, { "1 G", -EINVAL, 0 }, { ".5G", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		uint64_t got = 0;
		int err = parse_rate(rates[i].text, &got);

		tap_ok(err == rates[i].err && (err || got == rates[i].want),
		       "rate \"%s\": %d, %" PRIu64, rates[i].text, err, got);
	}
}

static void test_numbers(void)
{
	uint64_t n;

	tap_ok(!parse_uint("65535", &n) && n == 65535, "number");
	tap_eq(parse_uint("12a", &n), -EINVAL, "letters after a number");
	tap_eq(parse_uint("-1", &n), -EINVAL, "a sign");
	tap_eq(parse_uint("99999999999999999999", &n), -ERANGE, "more than 64 bits");
	tap_ok(!parse_seconds("1", &n) && n == 1000000000, "a second");
	tap_ok(!parse_seconds("0.25", &n) && n == 250000000, "a quarter");
	tap_ok(!parse_seconds("3.000000001", &n) && n == 3000000001, "a nanosecond more than three");
	tap_eq(parse_seconds("1.0000000001", &n), -EINVAL, "ten digits");
	tap_eq(parse_seconds(".5", &n), -EINVAL, "no digit before the point");
	tap_eq(parse_seconds("1s", &n), -EINVAL, "a unit");
	tap_eq(parse_seconds("99999999999", &n), -ERANGE, "more than a lifetime");
}

static const struct option_def defs[] = {
	{ .help = "Heading" },
	{ "file", 'f', "FILE", "a file" },
	{ "loud", OPTION_LONG, NULL, "first line\nsecond line" },
	{ "share", OPTION_LONG + 1, "[=N]", "optional" },
	{ 0 }
};

struct seen {
	char text[256];
};

static int apply(void *ctx, int key, const char *arg)
{
	struct seen *seen = ctx;
	size_t used = strlen(seen->text);

	snprintf(seen->text + used, sizeof(seen->text) - used, "%s=%s;", option_name(defs, key),
		 arg ? arg : "-");
	return arg && !strcmp(arg, "bad") ? -EINVAL : 0;
}

static int parse(struct seen *seen, char **argv)
{
	struct option_parser p = { .prog = "t", .defs = defs, .apply = apply, .ctx = seen };
	int argc = 0;

	while (argv[argc])
		argc++;
	seen->text[0] = '\0';
	return options_parse(&p, argc, argv);
}

static void test_table(void)
{
	char *good[] = { "t", "-f", "a", "--loud", "--share", "x", "--share=5", "--file=b", NULL };
	char *unknown[] = { "t", "--nope", NULL };
	char *missing[] = { "t", "-f", NULL };
	char *bad[] = { "t", "-f", "bad", NULL };
	struct seen seen;
	char help[512];
	FILE *f = fmemopen(help, sizeof(help), "w");

	tap_eq(parse(&seen, good), 7, "operands are sorted to the end");
	tap_str(seen.text, "file=a;loud=-;share=-;share=5;file=b;", "options in order");
	/* these talk on stderr, as they should */
	if (!freopen("/dev/null", "w", stderr))
		tap_bail("cannot silence stderr");
	tap_eq(parse(&seen, unknown), -EINVAL, "unknown option");
	tap_eq(parse(&seen, missing), -EINVAL, "missing argument");
	tap_eq(parse(&seen, bad), -EINVAL, "refused by the program");
	options_help(defs, f);
	fclose(f);
	tap_str(help,
		"\nHeading\n"
		"  -f, --file FILE         a file\n"
		"      --loud              first line\n"
		"                          second line\n"
		"      --share[=N]         optional\n",
		"help text");
}

int main(void)
{
	test_sizes();
	test_numbers();
	test_rates();
	test_table();
	return tap_done();
}
