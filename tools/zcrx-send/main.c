// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zcrx-send - send TCP streams so that they can be received in whole pages
 *
 *	zcrx-send receiver 9999 -f big
 *
 * needs an MTU of 4148 (IPv6: 4168) on both sides, and says:
 *
 *	zcrx-send: file to 192.0.2.2:9999, 1 stream
 *	  segments of 1 page, records of 16384
 *	  segments  262144 expected, 262144 sent: 0 cut out of shape, 0 sent again
 *	  shape     kept: all 65536 whole records left in segments of whole pages
 *	sent 1024 MB in 3.10 s, 2.77 Gbit/s
 *
 * Any receiver will do; zcrx-recv makes use of the shape.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "explain.h"
#include "geometry.h"
#include "hello.h"
#include "options.h"
#include "send.h"
#include "stdfds.h"
#include "wrap.h"

enum {
	KEY_PATTERN = OPTION_LONG,
	KEY_BYTES,
	KEY_TIME,
	KEY_WAIT,
	KEY_RECORD,
	KEY_PAGE,
	KEY_INTERVAL,
	KEY_JSON,
	KEY_EXPLAIN,
	KEY_HELLO,
	KEY_PACE,
	KEY_ZEROCOPY,
	KEY_SENDFILE,
	KEY_VERIFY,
	KEY_PAD,
};

static const struct option_def defs[] = {
	{ .help = "What to send" },
	{ "file", 'f', "FILE", "a file; - is standard input (default)" },
	{ "pattern", KEY_PATTERN, NULL, "the pattern of zcrx-recv --verify, without end" },
	{ "verify", KEY_VERIFY, NULL, "the same as --pattern" },
	{ "bytes", KEY_BYTES, "SIZE", "of each stream no more than SIZE bytes" },
	{ "time", KEY_TIME, "S", "end after S seconds: of all but the pattern without\n"
			      "end a failure, if not all is acknowledged then" },
	{ .help = "How to send" },
	{ "parallel", 'P', "N", "N streams of the same data at once (1)" },
	{ "page", KEY_PAGE, "SIZE", "page size of the receiver (4096); smaller powers of\n"
				  "two down to 512 align to disk blocks when no page\n"
				  "fits the MTU" },
	{ "record", KEY_RECORD, "PAGES", "pages of a record (4, or what fits): a cut in the\n"
				       "wrong place spoils the alignment of one record and\n"
				       "no more" },
	{ "pad", KEY_PAD, NULL, "fill the last page with zeros: whole pages arrive, and\n"
				"nothing but these" },
	{ "zerocopy", KEY_ZEROCOPY, NULL, "without a copy on this side (MSG_ZEROCOPY); says how\n"
					 "much the kernel copied all the same, and why" },
	{ "sendfile", KEY_SENDFILE, NULL, "a file straight from the page cache (sendfile)" },
	{ "pace", KEY_PACE, "RATE", "each stream no faster than RATE bits a second (2.5G)" },
	{ "hello", KEY_HELLO, "[=S]", "take page and record from the receiver, which has to\n"
				     "run with --hello too; wait S seconds for it (5)" },
	{ "wait", KEY_WAIT, "S", "while nobody listens, keep trying for S seconds" },
	{ "ipv4", '4', NULL, "IPv4 only" },
	{ "ipv6", '6', NULL, "IPv6 only" },
	{ .help = "What it says" },
	{ "explain", KEY_EXPLAIN, NULL, "connect, send nothing, say how the stream would be\n"
					"cut, and what MTU and MSS whole pages take" },
	{ "interval", KEY_INTERVAL, "S", "a line every S seconds (1); 0 for none. On a terminal\n"
					 "one line that moves on, if the end is known" },
	{ "json", KEY_JSON, NULL, "JSON lines on standard output" },
	{ "help", 'h', NULL, "this text" },
	{ 0 }
};

static void help(void)
{
	printf("usage: zcrx-send HOST PORT [options]\n"
	       "Sends TCP streams cut into segments of whole pages, so that the receiver can\n"
	       "use the pages as they come, and write them to disk without a copy.\n");
	options_help(defs, stdout);
	printf("\n"
	       "Sizes take K, M, G or T (powers of 1024), rates as well (powers of 1000). MB is\n"
	       "2^20 bytes, Gbit is 10^9 bits.\n"
	       "\n"
	       "A page of 4096 bytes needs an MTU of 4148 with IPv4 and 4168 with IPv6, with TCP\n"
	       "timestamps, on both sides. Ends when everything is acknowledged. What is cut\n"
	       "before, by a signal perhaps, ends with a reset: nobody takes it for complete.\n"
	       "\n"
	       "TCP may cut a stream anywhere. The report says what its counters prove: 'shape\n"
	       "kept' is for whole records that left this machine once and in full segments;\n"
	       "what the network did to them the receiver knows.\n"
	       "\n"
	       "--json: one object a line, {\"event\":..., \"data\":...}; events are start,\n"
	       "interval, explain, warning, error and end. The source has their JSON schema,\n"
	       "tools/zcrx-send/report.schema.json.\n"
	       "\n"
	       "Exit status: 0 done; 1 failed on the way, or stopped before the end; 2 wrong\n"
	       "usage; 3 no connection, or nothing to send.\n"
	       "\n"
	       "Examples:\n"
	       "  zcrx-send --explain HOST 9999\n"
	       "  zcrx-send HOST 9999 -f FILE\n"
	       "  zcrx-send HOST 9999 --pattern --bytes 1G -P 4\n"
	       "  tar c DIR | zcrx-send HOST 9999\n");
}

/**
 * struct args - the command line in the making
 * @opt: result
 * @help: --help was given
 * @hows: bits of enum send_how that were given
 * @shaped: --page or --record was given
 */
struct args {
	struct send_options opt;
	bool help;
	bool shaped;
	unsigned int hows;
};

static int complain(int key, const char *arg, const char *what)
{
	fprintf(stderr, "zcrx-send: --%s %s: %s\n", option_name(defs, key), arg, what);
	return -EINVAL;
}

static int take_u32(int key, const char *arg, uint32_t max, uint32_t *out)
{
	char what[64];
	uint64_t n;

	if (!parse_uint(arg, &n) && n && n <= max) {
		*out = (uint32_t)n;
		return 0;
	}
	snprintf(what, sizeof(what), "not a number from 1 to %u", max);
	return complain(key, arg, what);
}

static int take_size(int key, const char *arg, uint64_t *out)
{
	if (!parse_size(arg, out) && *out)
		return 0;
	return complain(key, arg, "not a size: a number, then nothing or K, M, G or T");
}

static int take_page(const char *arg, uint32_t *out)
{
	uint64_t n;

	if (take_size(KEY_PAGE, arg, &n))
		return -EINVAL;
	if (n < GEOMETRY_SECTOR || n > GEOMETRY_PAGE_MAX || n & (n - 1))
		return complain(KEY_PAGE, arg, "not a power of two from 512 to 64K");
	*out = (uint32_t)n;
	return 0;
}

static int take_seconds(int key, const char *arg, uint64_t *out)
{
	return parse_seconds(arg, out) ? complain(key, arg, "not a time in seconds") : 0;
}

static int take_hello(const char *arg, uint64_t *out)
{
	*out = HELLO_WAIT_NS;
	if (!arg || (!parse_seconds(arg, out) && *out))
		return 0;
	return complain(KEY_HELLO, arg, "not a time in seconds, more than 0");
}

static int apply(void *ctx, int key, const char *arg)
{
	struct args *a = ctx;
	struct send_options *opt = &a->opt;

	switch (key) {
	case 'f':
		if (!*arg)
			return complain(key, "''", "not the name of a file");
		opt->kind = strcmp(arg, "-") ? SOURCE_FILE : SOURCE_STDIN;
		opt->path = arg;
		return 0;
	case KEY_PATTERN:
	case KEY_VERIFY:
		opt->kind = SOURCE_PATTERN;
		return 0;
	case KEY_BYTES:
		return take_size(key, arg, &opt->bytes);
	case KEY_TIME:
		return take_seconds(key, arg, &opt->time_ns);
	case KEY_WAIT:
		return take_seconds(key, arg, &opt->wait_ns);
	case 'P':
		return take_u32(key, arg, 1024, &opt->streams);
	case KEY_PAGE:
		a->shaped = true;
		return take_page(arg, &opt->page);
	case KEY_RECORD:
		a->shaped = true;
		return take_u32(key, arg, GEOMETRY_RECORD_MAX / GEOMETRY_SECTOR, &opt->record_pages);
	case '4':
	case '6':
		opt->family = key == '4' ? AF_INET : AF_INET6;
		return 0;
	case KEY_INTERVAL:
		return take_seconds(key, arg, &opt->interval_ns);
	case KEY_JSON:
		opt->json = true;
		return 0;
	case KEY_PAD:
		opt->pad = true;
		return 0;
	case KEY_ZEROCOPY:
	case KEY_SENDFILE:
		opt->how = key == KEY_ZEROCOPY ? SEND_ZEROCOPY : SEND_SPLICED;
		a->hows |= 1U << opt->how;
		return 0;
	case KEY_PACE:
		if (!parse_rate(arg, &opt->pace))
			return 0;
		return complain(key, arg, "not a rate: bits a second, then nothing or K, M, G or T");
	case KEY_HELLO:
		return take_hello(arg, &opt->hello_ns);
	case KEY_EXPLAIN:
		opt->explain = true;
		return 0;
	case 'h':
		a->help = true;
		return 0;
	}
	return -EINVAL;
}

static const char *contradiction(const struct args *a)
{
	const struct send_options *opt = &a->opt;

	if (opt->kind == SOURCE_PATTERN && opt->path)
		return "one of -f and --pattern";
	if (opt->kind == SOURCE_STDIN && opt->streams > 1)
		return "-P needs --pattern or -f with a file: standard input can be read once only";
	if (a->hows & (a->hows - 1))
		return "one of --zerocopy and --sendfile";
	if (opt->how == SEND_SPLICED && opt->kind != SOURCE_FILE)
		return "--sendfile needs -f with a file";
	if (opt->pad && opt->kind == SOURCE_PATTERN)
		return "--pad is for data that has an end: with --pattern let --bytes be whole pages";
	if (opt->hello_ns && a->shaped)
		return "with --hello the receiver says how: no --page and no --record";
	if (!geometry_record_ok((uint64_t)opt->page * opt->record_pages, opt->page))
		return "a record may have 61440 bytes, or be one page: a smaller --record";
	return NULL;
}

static int take_operands(struct send_options *opt, char **operands, int n)
{
	uint64_t port;

	if (n != 2 || !*operands[0]) {
		fprintf(stderr, "zcrx-send: HOST and PORT are needed; see zcrx-send --help\n");
		return -EINVAL;
	}
	opt->host = operands[0];
	opt->port = operands[1];
	if (parse_uint(opt->port, &port) || !port || port > 65535) {
		fprintf(stderr, "zcrx-send: %s: not a port from 1 to 65535\n", opt->port);
		return -EINVAL;
	}
	opt->port_number = (uint16_t)port;
	return 0;
}

static enum send_exit judge(struct report *report, enum send_exit ret)
{
	return report_is_lost(report) && !ret ? SEND_FAILED : ret;
}

int main(int argc, char **argv)
{
	struct args a = {
		.opt = {
			.family = AF_UNSPEC,
			.kind = SOURCE_STDIN,
			.page = 4096,
			.streams = 1,
			.interval_ns = 1000000000,
		},
	};
	const struct option_parser parser = {
		.prog = "zcrx-send", .defs = defs, .apply = apply, .ctx = &a,
	};
	struct report report = {
		.prog = "zcrx-send", .talk = stderr, .width = wrap_terminal(stderr),
	};
	int operand = options_parse(&parser, argc, argv);
	const char *wrong;

	if (stdfds_keep())
		return SEND_FAILED;
	if (operand < 0)
		return SEND_USAGE;
	if (a.help) {
		help();
		return SEND_OK;
	}
	if (take_operands(&a.opt, argv + operand, argc - operand))
		return SEND_USAGE;
	if (!a.opt.record_pages)
		a.opt.record_pages = geometry_record_pages(a.opt.page);
	wrong = contradiction(&a);
	if (wrong) {
		report_say(&report, "%s; see zcrx-send --help", wrong);
		return SEND_USAGE;
	}
	if (a.opt.json)
		report.json.out = stdout;
	return judge(&report, a.opt.explain ? explain_run(&a.opt, &report) :
					      send_run(&a.opt, &report));
}
