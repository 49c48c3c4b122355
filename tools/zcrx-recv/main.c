// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * zcrx-recv - receive TCP streams without copying them
 *
 * On the receiver, whose eth0 has a queue 7 that nothing else arrives on:
 *
 *	zcrx-flow up eth0 -q 7 -p 9999
 *	zcrx-recv -i eth0 -q 7 -p 9999 --once -o big.copy
 *
 * On any other machine:
 *
 *	nc -N receiver 9999 < big
 *
 * and the receiver says:
 *
 *	received 1024 MB (99.9 % zero copy, 0.2 % page-aligned) in 3.10 s, 2.77 Gbit/s
 *
 * With zcrx-send instead of nc and an MTU of 4148, the share of page-aligned
 * bytes is near 100 % as well, and the file is written from the very pages that
 * the NIC wrote.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "geometry.h"
#include "hello.h"
#include "options.h"
#include "recv.h"
#include "stdfds.h"
#include "wrap.h"

/* linux/io_uring/zc_rx.h */
#define RQ_MAX		32768
#define CQ_MAX		65536
#define REGION_MAX	(1ULL << 32)
#define BUF_LEN_MAX	(1ULL << 30)

enum {
	KEY_VERIFY = OPTION_LONG,
	KEY_HASH,
	KEY_DISCARD,
	KEY_DIRECTORY,
	KEY_BUFFERED,
	KEY_REGION,
	KEY_HUGEPAGES,
	KEY_AREA,
	KEY_BUF_LEN,
	KEY_RQ,
	KEY_CQ,
	KEY_CPU,
	KEY_BACKEND,
	KEY_REQUIRE,
	KEY_ONCE,
	KEY_CONNECTIONS,
	KEY_TIME,
	KEY_BYTES,
	KEY_INTERVAL,
	KEY_JSON,
	KEY_MSS,
	KEY_PAGE_MSS,
	KEY_RECORD,
	KEY_HELLO,
	KEY_RCVBUF,
	KEY_GATHER,
	KEY_BUSY_POLL,
	KEY_FRAGS,
	KEY_BIND,
};

static const struct option_def defs[] = {
	{ .help = "What to receive" },
	{ "interface", 'i', "IFACE", "network interface" },
	{ "queue", 'q', "LIST", "its RX queue (0), which the flow must be steered to\n"
				"(zcrx-flow does that); or several, with a thread each:\n"
				"4-7, or 2,3, or 4-7,9" },
	{ "port", 'p', "PORT", "TCP port to listen on" },
	{ "ipv4", '4', NULL, "IPv4 only" },
	{ "ipv6", '6', NULL, "IPv6 only" },
	{ .help = "Where the data goes" },
	{ "discard", KEY_DISCARD, NULL, "nowhere (default)" },
	{ "output", 'o', "FILE", "to a file, connection after connection; - is standard\n"
			       "output, DIR/ the same as --directory DIR" },
	{ "directory", KEY_DIRECTORY, "DIR", "to a file a connection, whose names sort as they came" },
	{ "buffered", KEY_BUFFERED, NULL, "write the file without O_DIRECT" },
	{ "verify", KEY_VERIFY, NULL, "compare with the pattern of zcrx-send --pattern" },
	{ "hash", KEY_HASH, "NAME", "print the sha256 or crc32c of each connection as well" },
	{ .help = "When to end" },
	{ "once", KEY_ONCE, NULL, "after one connection" },
	{ "connections", KEY_CONNECTIONS, "N", "after N connections" },
	{ "time", KEY_TIME, "S", "S seconds after the first byte" },
	{ "bytes", KEY_BYTES, "SIZE", "after SIZE bytes" },
	{ .help = "How to receive" },
	{ "backend", KEY_BACKEND, "NAME", "auto: the first that works; it says which (default)\n"
					  "rbuf: zero copy, this kernel series\n"
					  "upstream: zero copy, Linux 6.15 and later\n"
					  "upstream-nodev: its rings without a NIC: the kernel\n"
					  "copies all of it, whatever it comes by (Linux 7.1)\n"
					  "copy: ordinary receive, io_uring's multishot recv\n"
					  "epoll: ordinary receive, epoll_wait(2) and recv(2)" },
	{ "require-zerocopy", KEY_REQUIRE, "[=PERCENT]", "never fall back to copying, and end with status 4 if\n"
							"less than PERCENT (99) of the bytes came without one" },
	{ "region", KEY_REGION, "SIZE", "memory that the NIC writes into (64M); must exceed\n"
				      "what the NIC's own ring takes" },
	{ "area", KEY_AREA, "SIZE", "hand it to the kernel in areas of SIZE (1G), not more\n"
				  "than 64: rbuf, upstream (Linux 7.3)" },
	{ "hugepages", KEY_HUGEPAGES, NULL, "take it from hugetlbfs" },
	{ "rx-buf-len", KEY_BUF_LEN, "SIZE", "have the NIC fill buffers of SIZE, a power of two,\n"
					   "instead of pages: upstream (Linux 7.0)" },
	{ "rq", KEY_RQ, "N", "entries of the refill ring, a power of two (8192)" },
	{ "cq", KEY_CQ, "N", "entries of the completion ring, a power of two (8192)" },
	{ "cpu", KEY_CPU, "N", "run the queue's interrupt on this CPU (rbuf); of\n"
			       "several queues the next one's on the next CPU" },
	{ "gather", KEY_GATHER, "USEC", "sleep at least so long, so that data comes in larger\n"
				      "lots for less CPU time (200); 0 to wake for each\n"
				      "(needs Linux 6.12; not epoll)" },
	{ "busy-poll", KEY_BUSY_POLL, "USEC", "before it sleeps, look for packets in the NIC's queue\n"
					    "for so long: sooner there, for more CPU time (0;\n"
					    "needs Linux 6.9)" },
	{ .help = "How the sender cuts its data (any sender, nc as well)" },
	{ "page-mss", KEY_PAGE_MSS, NULL, "ask for segments of whole pages: as many as the MTU\n"
					 "holds, else of whole 512-byte blocks" },
	{ "mss", KEY_MSS, "N", "ask for this MSS (with TCP timestamps: page + 12)" },
	{ "record", KEY_RECORD, "PAGES", "count records of PAGES pages that arrive aligned" },
	{ "hello", KEY_HELLO, "[=S]", "before any data agree on page and record with\n"
				     "zcrx-send --hello, and refuse all others; wait S\n"
				     "seconds (5). Implies --page-mss, unless --mss, and\n"
				     "--record" },
	{ "rcvbuf", KEY_RCVBUF, "SIZE", "receive buffer of a socket; else the kernel tunes it" },
	{ .help = "What it says" },
	{ "interval", KEY_INTERVAL, "S", "a line every S seconds (1); 0 for none" },
	{ "json", KEY_JSON, NULL, "JSON lines on standard output (-o -: standard error)" },
	{ "dump-frags", KEY_FRAGS, "FILE", "log where in memory every piece arrived" },
	{ "bind", KEY_BIND, NULL, "of check: bind the queue for real and give it back,\n"
				  "which may stop the NIC's traffic for a moment" },
	{ "help", 'h', NULL, "this text" },
	{ 0 }
};

static void help(void)
{
	printf("usage: zcrx-recv -i IFACE -q LIST -p PORT [options]\n"
	       "       zcrx-recv check [-i IFACE] [-q LIST] [-p PORT] [options]\n"
	       "Receives TCP streams into user memory without copying them. 'check' receives\n"
	       "nothing: it tells what of this machine is ready for that, and for what is not\n"
	       "the command that mends it. It changes nothing.\n");
	options_help(defs, stdout);
	printf("\n"
	       "Sizes take K, M, G or T (powers of 1024). MB is 2^20 bytes, Gbit is 10^9 bits.\n"
	       "\n"
	       "A file is called FILE.part until it is complete: until each peer has ended its\n"
	       "connection in order, or --bytes is reached. Then it gets its name, and another\n"
	       "file of that name is replaced. One that is cut short (the peer resets, a signal,\n"
	       "--time, a full disk), or that nobody has sent, stays FILE.part, and the exit\n"
	       "status is 1. The files of a directory are called like\n"
	       "20260131T235959.123456Z-00000001: when the receiver was started, in UTC, and\n"
	       "the number of the connection. None is ever replaced. --bytes completes none of\n"
	       "them, as it does not say which. Complete is not yet safe from a power cut:\n"
	       "sync(1).\n"
	       "\n"
	       "Several queues have a thread, a ring and a region each; --region, --rq and --cq\n"
	       "are for each. A connection is the thread's whose queue its packets come by. One\n"
	       "that comes by no queue of the list is received by any, and copied: that is said\n"
	       "and counted. --connections, --bytes and --time are for all together, and\n"
	       "--require-zerocopy for each. A file takes one connection after the other,\n"
	       "whichever queue they come by; a directory takes them at the same time.\n"
	       "\n"
	       "--hash prints a line a connection as sha256sum(1) does, with the file's name, or\n"
	       "the peer's if no file has that connection alone: on standard output, or, where\n"
	       "that is taken (-o -, --json), on standard error and in the JSON line.\n"
	       "\n"
	       "A byte counts as page-aligned when the page of the stream that it is in came as\n"
	       "a page of memory. 'cpu usage' is what the process was charged for; 'machine' is\n"
	       "all that all processors did meanwhile, softirq included: on a machine that does\n"
	       "nothing else that is the true price.\n"
	       "\n"
	       "The final report has pieces by their length and by where in a page they start,\n"
	       "in shares of all pieces; and the CPUs on which the network stack handled the\n"
	       "packets (softirq), on which this program ran, and which take the interrupt of\n"
	       "the queue, where the driver names it by interface and queue. The first two are\n"
	       "samples, 20 a second. Best is the same cache, but not the same CPU.\n"
	       "\n"
	       "SIGINT (^C) and SIGTERM end it with the final report, a second one at once and\n"
	       "without. If the reader of standard output goes away, that is an end as well,\n"
	       "said and reported, with status 0.\n"
	       "\n"
	       "--json: one object a line, {\"event\":..., \"data\":...}; events are start,\n"
	       "interval, connection, check, warning, error and end. The source has their JSON\n"
	       "schema, tools/zcrx-recv/report.schema.json.\n"
	       "\n"
	       "Exit status: 0 done; 1 failed on the way; 2 wrong usage; 3 the machine is not\n"
	       "ready (the message says what to do); 4 not without copies, though required;\n"
	       "5 the data is not the pattern.\n"
	       "\n"
	       "Examples:\n"
	       "  zcrx-flow up eth0 -q 7 -p 9999\n"
	       "  zcrx-recv check -i eth0 -q 7 -p 9999\n"
	       "  zcrx-recv -i eth0 -q 7 -p 9999 --once -o FILE\n"
	       "      peer: nc -N HOST 9999 <FILE\n"
	       "  zcrx-recv -i eth0 -q 7 -p 9999 --page-mss --verify\n"
	       "      peer: zcrx-send HOST 9999 --pattern\n"
	       "  zcrx-recv -i eth0 -q 7 -p 9999 -o DIR/\n"
	       "      any number of peers, a file each, until ^C\n"
	       "  zcrx-recv -i eth0 -q 4-7 -p 9999 -o DIR/\n"
	       "      the same with four queues: zcrx-flow up eth0 -q 4-7 -p 9999\n"
	       "  zcrx-recv --backend copy -p 9999 -o - | tar x\n");
}

/**
 * struct args - the command line in the making
 * @opt: result
 * @help: --help was given
 * @check: only look whether it could be done
 * @bind: with @check: bind the queue
 * @sinks: options given that say where the data goes
 */
struct args {
	struct recv_options opt;
	bool help;
	bool check;
	bool bind;
	unsigned int sinks;
};

static int complain(int key, const char *arg, const char *what)
{
	fprintf(stderr, "zcrx-recv: --%s %s: %s\n", option_name(defs, key), arg, what);
	return -EINVAL;
}

static int take_uint(int key, const char *arg, uint64_t min, uint64_t max, uint64_t *out)
{
	char what[96];

	if (!parse_uint(arg, out) && *out >= min && *out <= max)
		return 0;
	snprintf(what, sizeof(what), "not a number from %llu to %llu", (unsigned long long)min,
		 (unsigned long long)max);
	return complain(key, arg, what);
}

static int take_u32(int key, const char *arg, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t n;

	if (take_uint(key, arg, min, max, &n))
		return -EINVAL;
	*out = (uint32_t)n;
	return 0;
}

static int take_entries(int key, const char *arg, uint32_t max, uint32_t *out)
{
	if (take_u32(key, arg, 1, max, out))
		return -EINVAL;
	if (*out & (*out - 1))
		return complain(key, arg, "not a power of two");
	return 0;
}

static int take_size(int key, const char *arg, uint64_t *out)
{
	if (!parse_size(arg, out) && *out)
		return 0;
	return complain(key, arg, "not a size: a number, then nothing or K, M, G or T");
}

/* Whole pages, @max bytes at most */
static int take_pages(int key, const char *arg, uint64_t max, const char *more, uint64_t *out)
{
	if (take_size(key, arg, out))
		return -EINVAL;
	if (*out % (uint64_t)sysconf(_SC_PAGESIZE))
		return complain(key, arg, "not a multiple of the page size");
	return *out > max ? complain(key, arg, more) : 0;
}

static int take_buf_len(const char *arg, uint32_t *out)
{
	uint64_t n;

	if (take_size(KEY_BUF_LEN, arg, &n))
		return -EINVAL;
	if (n & (n - 1) || n < (uint64_t)sysconf(_SC_PAGESIZE) || n > BUF_LEN_MAX)
		return complain(KEY_BUF_LEN, arg, "not a power of two from a page to 1G");
	*out = (uint32_t)n;
	return 0;
}

static int take_rcvbuf(const char *arg, uint32_t *out)
{
	uint64_t n;

	if (take_size(KEY_RCVBUF, arg, &n))
		return -EINVAL;
	if (n > 1U << 30)
		return complain(KEY_RCVBUF, arg, "a receive buffer is at most 1G");
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

static int take_backend(struct recv_options *opt, const char *arg)
{
	if (!strcmp(arg, "auto")) {
		opt->backend = NULL;
		return 0;
	}
	opt->backend = zcrx_backend_find(arg);
	return opt->backend ? 0 : complain(KEY_BACKEND, arg, "not one of auto, rbuf, upstream, upstream-nodev, copy, epoll");
}

static int take_hash(struct recv_options *opt, const char *arg)
{
	opt->hash = hash_find(arg);
	return opt->hash ? 0 : complain(KEY_HASH, arg, "not one of sha256, crc32c");
}

static int take_require(struct recv_options *opt, const char *arg)
{
	char *end;

	opt->require = true;
	opt->require_percent = 99.0;
	if (!arg)
		return 0;
	opt->require_percent = strtod(arg, &end);
	if (end != arg && !*end && opt->require_percent >= 0.0 && opt->require_percent <= 100.0)
		return 0;
	return complain(KEY_REQUIRE, arg, "not a percentage");
}

/* An empty word is a variable that the user's shell does not have */
static int take_name(int key, const char *arg, const char *what, const char **out)
{
	if (!*arg)
		return complain(key, "''", what);
	*out = arg;
	return 0;
}

static const char no_file[] = "not the name of a file";
static const char no_directory[] = "not the name of a directory";
static const char no_interface[] = "not the name of an interface";

static int take_sink(struct args *a, enum recv_sink sink, const char *path)
{
	a->opt.sink = sink;
	a->opt.path = path;
	a->sinks++;
	return 0;
}

/* The slash says what is meant, also where there is no such directory yet */
static int take_output(struct args *a, const char *path)
{
	if (take_name('o', path, no_file, &path))
		return -EINVAL;
	return take_sink(a, path[strlen(path) - 1] == '/' ? RECV_SINK_DIRECTORY : RECV_SINK_FILE,
			 path);
}

static int take_port(struct recv_options *opt, const char *arg)
{
	uint64_t port;

	if (take_uint('p', arg, 1, 65535, &port))
		return -EINVAL;
	opt->port = (uint16_t)port;
	return 0;
}

static int take_queues(struct recv_options *opt, const char *arg)
{
	const char *wrong = queues_parse(arg, &opt->queues);

	if (wrong)
		return complain('q', arg, wrong);
	opt->cfg.queue = opt->queues.at[0];
	return 0;
}

static int take_cpu(struct recv_options *opt, const char *arg)
{
	uint64_t cpu;

	if (take_uint(KEY_CPU, arg, 0, 65535, &cpu))
		return -EINVAL;
	opt->cfg.cpu = (int)cpu;
	return 0;
}

static int apply(void *ctx, int key, const char *arg)
{
	struct args *a = ctx;
	struct recv_options *opt = &a->opt;

	switch (key) {
	case 'i':
		return take_name(key, arg, no_interface, &opt->cfg.iface);
	case 'q':
		return take_queues(opt, arg);
	case 'p':
		return take_port(opt, arg);
	case '4':
	case '6':
		opt->family = key == '4' ? AF_INET : AF_INET6;
		return 0;
	case 'o':
		return take_output(a, arg);
	case KEY_DIRECTORY:
		return take_name(key, arg, no_directory, &arg) ?:
		       take_sink(a, RECV_SINK_DIRECTORY, arg);
	case KEY_VERIFY:
		return take_sink(a, RECV_SINK_VERIFY, NULL);
	case KEY_HASH:
		return take_hash(opt, arg);
	case KEY_DISCARD:
		return take_sink(a, RECV_SINK_DISCARD, NULL);
	case KEY_BUFFERED:
		opt->buffered = true;
		return 0;
	case KEY_REGION:
		return take_pages(key, arg, REGION_MAX - 1, "a region must be less than 4G",
				  &opt->cfg.region_size);
	case KEY_AREA:
		return take_pages(key, arg, ZCRX_AREA_MAX, "an area is 1G at most",
				  &opt->cfg.area_size);
	case KEY_BUF_LEN:
		return take_buf_len(arg, &opt->cfg.buf_len);
	case KEY_HUGEPAGES:
		opt->cfg.hugepages = true;
		return 0;
	case KEY_RQ:
		return take_entries(key, arg, RQ_MAX, &opt->cfg.rq_entries);
	case KEY_CQ:
		return take_entries(key, arg, CQ_MAX, &opt->cfg.cq_entries);
	case KEY_CPU:
		return take_cpu(opt, arg);
	case KEY_BACKEND:
		return take_backend(opt, arg);
	case KEY_REQUIRE:
		return take_require(opt, arg);
	case KEY_ONCE:
		opt->connections = 1;
		return 0;
	case KEY_CONNECTIONS:
		return take_uint(key, arg, 1, UINT64_MAX, &opt->connections);
	case KEY_TIME:
		return take_seconds(key, arg, &opt->time_ns);
	case KEY_BYTES:
		return take_size(key, arg, &opt->bytes);
	case KEY_INTERVAL:
		return take_seconds(key, arg, &opt->interval_ns);
	case KEY_JSON:
		opt->json = true;
		return 0;
	case KEY_MSS:
		return take_u32(key, arg, GEOMETRY_MAXSEG_MIN, GEOMETRY_MAXSEG_MAX, &opt->mss);
	case KEY_PAGE_MSS:
		opt->page_mss = true;
		return 0;
	case KEY_RECORD:
		return take_u32(key, arg, 1, 1024, &opt->record_pages);
	case KEY_HELLO:
		return take_hello(arg, &opt->hello_ns);
	case KEY_GATHER:
		return take_u32(key, arg, 0, 1000000, &opt->cfg.gather_us);
	case KEY_BUSY_POLL:
		return take_u32(key, arg, 0, 1000000, &opt->cfg.busy_poll_us);
	case KEY_RCVBUF:
		return take_rcvbuf(arg, &opt->rcvbuf);
	case KEY_FRAGS:
		return take_name(key, arg, no_file, &opt->frags);
	case KEY_BIND:
		a->bind = true;
		return 0;
	case 'h':
		a->help = true;
		return 0;
	}
	return -EINVAL;
}

/* Options that do not go together; NULL when all is well */
static const char *contradiction(const struct args *a)
{
	const struct recv_options *opt = &a->opt;
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);
	bool copy = opt->backend && !opt->backend->zero_copy;

	if (!opt->port && !a->check)
		return "which port? -p PORT";
	if (a->bind && !a->check)
		return "--bind is of zcrx-recv check";
	if (!copy && !opt->cfg.iface && !a->check)
		return "which interface? -i IFACE, or --backend copy for an ordinary receive";
	if (copy && opt->require)
		return "--require-zerocopy contradicts a backend that copies";
	if (opt->cfg.region_size > ZCRX_AREAS_MAX * zcrx_first_area(&opt->cfg))
		return "the region has more than 64 areas: a smaller --region, or a larger --area";
	if (a->sinks > 1)
		return "one of -o, --directory, --verify and --discard";
	if (opt->frags && opt->queues.n > 1)
		return "--dump-frags tells of one queue";
	if (opt->mss && opt->page_mss)
		return "one of --mss and --page-mss";
	if (opt->hello_ns && !geometry_record_ok((uint64_t)opt->record_pages * page, page))
		return "with --hello a record may have 61440 bytes, or be one page: a smaller --record";
	return NULL;
}

static enum recv_exit check(const struct args *a, struct report *report)
{
	const struct check_options opt = {
		.cfg = &a->opt.cfg,
		.queues = &a->opt.queues,
		.backend = a->opt.backend,
		.family = a->opt.family,
		.port = a->opt.port,
		.bind = a->bind,
	};

	/* here the lines for people are what was asked for, unless those for programs are */
	report->talk = a->opt.json ? stderr : stdout;
	report->width = wrap_terminal(report->talk);
	return check_run(&opt, report) ? RECV_OK : RECV_NOT_READY;
}

/* A sender that asks is told of a record, and then cuts its segments accordingly */
static void complete(struct recv_options *opt)
{
	if (!opt->hello_ns)
		return;
	if (!opt->record_pages)
		opt->record_pages = geometry_record_pages((uint32_t)sysconf(_SC_PAGESIZE));
	if (!opt->mss)
		opt->page_mss = true;
}

static enum recv_exit judge(struct report *report, enum recv_exit ret)
{
	return report_is_lost(report) && !ret ? RECV_FAILED : ret;
}

int main(int argc, char **argv)
{
	struct args a = {
		.opt = {
			.cfg = {
				.region_size = 64 << 20,
				.rq_entries = 8192,
				.cq_entries = 8192,
				.cpu = -1,
				.gather_us = 200,
			},
			.queues = { .n = 1 },
			.family = AF_UNSPEC,
			.interval_ns = 1000000000,
		},
	};
	const struct option_parser parser = {
		.prog = "zcrx-recv", .defs = defs, .apply = apply, .ctx = &a,
	};
	struct report report = {
		.prog = "zcrx-recv", .talk = stderr, .width = wrap_terminal(stderr),
	};
	const char *wrong;
	int operand;

	if (stdfds_keep())
		return RECV_FAILED;
	/* in front of the options of a receiver, which it takes as they are */
	a.check = argc > 1 && !strcmp(argv[1], "check");
	operand = options_parse(&parser, argc - a.check, argv + a.check);
	if (operand < 0)
		return RECV_USAGE;
	if (a.help) {
		help();
		return RECV_OK;
	}
	complete(&a.opt);
	wrong = operand < argc - a.check ? "takes no operands" : contradiction(&a);
	if (wrong) {
		report_say(&report, "%s; see zcrx-recv --help", wrong);
		return RECV_USAGE;
	}
	if (a.opt.json)
		report.json.out = a.opt.path && !strcmp(a.opt.path, "-") ? stderr : stdout;
	return judge(&report, a.check ? check(&a, &report) : recv_run(&a.opt, &report));
}
