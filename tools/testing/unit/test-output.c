// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON lines, sizes for people, and the table of diagnostics. */
#include <limits.h>
#include <math.h>

#include "../tap.h"
#include "report.h"
#include "wrap.h"

static void test_json(void)
{
	static const uint64_t numbers[] = { 1, 2, 3 };
	char text[512] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");
	struct json j = { .out = f };

	json_open(&j, NULL);
	json_str(&j, "event", "a \"b\" \\ \n\t\x01 c");
	json_open(&j, "data");
	json_u64(&j, "max", UINT64_MAX);
	json_i64(&j, "min", INT64_MIN);
	json_double(&j, "half", 0.5);
	json_double(&j, "none", NAN);
	json_bool(&j, "yes", true);
	json_str(&j, "null", NULL);
	json_u64s(&j, "list", numbers, 3);
	json_u64s(&j, "empty", numbers, 0);
	json_open(&j, "in");
	json_close(&j);
	json_close(&j);
	json_u64(&j, "after", 1);
	json_close(&j);
	json_open(&j, NULL);
	fputs("said meanwhile\n", f);
	json_close(&j);
	fclose(f);
	tap_str(text,
		"{\"event\":\"a \\\"b\\\" \\\\ \\n\\t\\u0001 c\",\"data\":{"
		"\"max\":18446744073709551615,\"min\":-9223372036854775808,\"half\":0.500000,"
		"\"none\":null,\"yes\":true,\"null\":null,\"list\":[1,2,3],\"empty\":[],\"in\":{}},"
		"\"after\":1}\nsaid meanwhile\n{}\n", "JSON lines, in one piece");
}

static bool json_is(const char *text, const char *want)
{
	char *buf = NULL;
	size_t size = 0;
	struct json j = { .out = open_memstream(&buf, &size) };
	bool same;

	json_open(&j, NULL);
	json_str(&j, "t", text);
	json_close(&j);
	fclose(j.out);
	same = size > 8 && !strncmp(buf + 6, want, strlen(want)) && !strcmp(buf + 6 + strlen(want), "\"}\n");
	if (!same)
		tap_diag("%s", buf);
	free(buf);
	return same;
}

static void test_json_text(void)
{
	static const char *const texts[] = {
		"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80",
	};
	static const struct {
		const char *words, *bytes, *want;
	} wrong[] = {
		{ "no first byte", "a\xff" "b", "a\\ufffdb" },
		{ "no second one", "\xc3", "\\ufffd" },
		{ "a short one", "\xe2\x82" "x", "\\ufffd\\ufffdx" },
		{ "a longer form than needed", "\xc0\x80\xe0\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd" },
		{ "a surrogate", "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd" },
		{ "beyond all characters", "\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		tap_ok(json_is(texts[i], texts[i]), "json: text stays as it is: %s", texts[i]);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		tap_ok(json_is(wrong[i].bytes, wrong[i].want), "json: what is no text, %s", wrong[i].words);
}

static void test_sizes(void)
{
	char buf[REPORT_SIZE];

	tap_str(report_size(0, buf), "0 bytes", "nothing");
	tap_str(report_size(1023, buf), "1023 bytes", "bytes");
	tap_str(report_size(1024, buf), "1 KB", "a KB");
	tap_str(report_size(1536, buf), "1.5 KB", "one and a half");
	tap_str(report_size(1 << 30, buf), "1024 MB", "a GB in MB, as tcp_mmap has it");
	tap_str(report_size(12900000, buf), "12.3 MB", "tenths below 100 MB");
	tap_str(report_size(300000123, buf), "286 MB", "none above");
	tap_ok(report_gbit(125000000, 1000000000) == 1.0, "a Gbit/s");
	tap_ok(report_gbit(1, 0) == 0.0, "no time");
	tap_ok(cpu_us_per_mb(100, 1 << 20) == 100.0, "microseconds a MB");
	tap_ok(cpu_us_per_mb(100, 0) == 0.0, "of nothing");
}

static const struct zcrx_config cfg = {
	.iface = "lo", .queue = 77, .region_size = 64 << 20, .cpu = -1,
};

static void explain(struct diag_text *text, enum zcrx_step step, int err)
{
	static struct zcrx_refusal why;
	struct diag_env env = {
		.prog = "prog", .cfg = &cfg, .why = &why, .port = 9999, .path = "p", .peer = "h",
	};

	/* the text refers to the reason */
	why = (struct zcrx_refusal){ .step = step, .err = err, .reason = "because" };
	diag_explain(&env, text);
}

static void test_explain(void)
{
	struct diag_text text;

	explain(&text, ZCRX_STEP_LISTEN, EADDRINUSE);
	tap_str(text.code, "ZC030", "port in use");
	tap_str(text.what, "cannot listen on port 9999: Address already in use (EADDRINUSE)",
		"what could not be done");
	tap_str(text.fix, "end it (ss -ltnp 'sport = :9999' names it), or take another port with -p",
		"the port in the fix");
	tap_str(text.reason, "because", "the kernel's own words");
	explain(&text, ZCRX_STEP_QUEUE, ERANGE);
	tap_str(text.code, "ZC014", "a probe finds that lo has no queue 77");
	tap_ok(strstr(text.cause, "lo has 1 RX queue, 0 to 0"), "and how many it has: %s", text.cause);
	tap_str(text.command, "", "that lo cannot have more: no command");
	tap_str(text.fix, "-q with one of these", "but words");
	explain(&text, ZCRX_STEP_QUEUE, ENODEV);
	tap_ok(strcmp(text.code, "ZC099"), "every refusal of a queue has some cause: %s", text.code);
	explain(&text, ZCRX_STEP_MAP, EXDEV);
	tap_str(text.code, "ZC099", "what nobody foresaw is said to be that");
}

/* Every placeholder is known, codes and names are unique, lines can be reached */
static void test_table(void)
{
	unsigned int braces = 0, twice = 0, shadowed = 0, n;
	struct diag_text text;

	for (n = 0; diag_at(n); n++) {
		const struct diag *d = diag_at(n);
		struct zcrx_refusal why = { .step = d->step, .err = 1 };
		struct diag_env env = { .prog = "prog", .cfg = &cfg, .why = &why, .path = "p",
					.peer = "h", .have = "H", .want = "W", .alt = "A" };

		diag_advice(&env, d->name, &text);
		if (strpbrk(text.cause, "{}?") || strpbrk(text.fix, "{}?")) {
			tap_diag("%s: %s | %s", d->code, text.cause, text.fix);
			braces++;
		}
		for (unsigned int i = 0; i < n; i++) {
			const struct diag *e = diag_at(i);

			twice += !strcmp(e->code, d->code) || !strcmp(e->name, d->name);
			shadowed += e->step == d->step && !e->probe && !e->says && (!e->err || e->err == d->err) &&
				    d->err != -1;
		}
	}
	tap_eq(braces, 0, "placeholders of %u diagnostics are filled in", n);
	tap_eq(twice, 0, "codes and names are unique");
	tap_eq(shadowed, 0, "no line hides another");
}

/* Documentation/diagnostics.rst, each run of blanks made one */
static char *read_document(void)
{
	FILE *f = fopen(TOP "/Documentation/diagnostics.rst", "re");
	char *text = calloc(1, 1 << 20);
	bool blank = false;
	size_t n = 0;
	int c;

	while (f && text && (c = getc(f)) != EOF && n + 2 < 1 << 20) {
		blank |= strchr(" \t\n", c) != NULL;
		if (strchr(" \t\n", c))
			continue;
		if (blank)
			text[n++] = ' ';
		blank = false;
		text[n++] = (char)c;
	}
	if (f)
		fclose(f);
	return text;
}

/* What the document has to have of a line of the table */
static void document_line(const struct diag *d, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, " %s %s %s", d->code, d->name, d->cause);

	if (d->command)
		used += (size_t)snprintf(out + used, size - used, " Command: ``%s``", d->command);
	if (d->fix)
		snprintf(out + used, size - used, " Fix: %s", d->fix);
}

static bool has_code(const char *code)
{
	if (!strncmp(code, "ZC099", 5))
		return true;
	for (unsigned int i = 0; diag_at(i); i++)
		if (!strncmp(diag_at(i)->code, code, 5))
			return true;
	return false;
}

/* The document has all of the table, word for word, and no code that is not there */
static void test_document(void)
{
	char *text = read_document(), line[2048];
	unsigned int missing = 0, strange = 0;

	for (unsigned int i = 0; diag_at(i); i++) {
		document_line(diag_at(i), line, sizeof(line));
		if (strstr(text, line))
			continue;
		tap_diag("not in Documentation/diagnostics.rst:%s", line);
		missing++;
	}
	for (const char *p = text; (p = strstr(p, "ZC")); p++) {
		if (strspn(p + 2, "0123456789") != 3 || has_code(p))
			continue;
		tap_diag("not in tools/lib/diag.c: %.40s", p);
		strange++;
	}
	tap_eq(missing, 0, "each diagnostic is documented as it is");
	tap_eq(strange, 0, "no other is documented");
	free(text);
}

static void test_long_values(void)
{
	char path[4096];
	struct zcrx_refusal why = { .step = ZCRX_STEP_SINK, .err = ENOSPC };
	struct diag_env env = { .prog = "prog", .why = &why, .path = path };
	struct diag_text text;

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	diag_explain(&env, &text);
	tap_eq(strlen(text.cause), sizeof(text.cause) - 1, "a long path is cut");
	tap_eq(strspn(path, "x"), sizeof(path) - 1, "and nothing overrun");
	tap_ok(strlen(text.what) < sizeof(text.what), "nor is the headline");
}

static void test_events(void)
{
	char text[1024] = "", talk[1024] = "";
	FILE *f = fmemopen(text, sizeof(text), "w"), *t = fmemopen(talk, sizeof(talk), "w");
	struct report r = { .prog = "prog", .talk = t, .json = { .out = f } };
	struct zcrx_refusal why = { .step = ZCRX_STEP_LISTEN, .err = EACCES };
	struct diag_env env = { .prog = "prog", .why = &why, .port = 80 };
	struct report quiet = { .prog = "prog", .talk = t };

	report_refusal(&r, &env);
	tap_ok(!report_event(&quiet, "start"), "no JSON when nobody wants it");
	fclose(f);
	fclose(t);
	tap_str(text,
		"{\"event\":\"error\",\"data\":{\"code\":\"ZC031\",\"name\":\"port-privileged\","
		"\"what\":\"cannot listen on port 80: Permission denied (EACCES)\","
		"\"cause\":\"ports below 1024 need CAP_NET_BIND_SERVICE\","
		"\"fix\":\"take another port with -p, or run as root\"}}\n", "an error as a JSON line");
	tap_str(talk,
		"prog: ZC031 cannot listen on port 80: Permission denied (EACCES)\n"
		"  cause:  ports below 1024 need CAP_NET_BIND_SERVICE\n"
		"  fix:    take another port with -p, or run as root\n", "and for people");
}

/* What wrap_text() makes of a text, for tap_str() */
static const char *wrapped(char *buf, size_t size, unsigned int column, unsigned int indent,
			   unsigned int width, const char *text, size_t whole)
{
	FILE *f;

	memset(buf, 0, size);
	f = fmemopen(buf, size, "w");
	wrap_text(f, column, indent, width, text, whole);
	fclose(f);
	return buf;
}

static void test_wrap(void)
{
	char buf[256];

	tap_str(wrapped(buf, sizeof(buf), 2, 4, 12, "a text of some words", 0),
		"a text of\n    some\n    words\n", "a text is broken at blanks");
	tap_str(wrapped(buf, sizeof(buf), 0, 2, 10, "0123456789 1234567 9", 0),
		"0123456789\n  1234567\n  9\n", "that fill their lines");
	tap_str(wrapped(buf, sizeof(buf), 0, 2, 8, "a longestword b", 0),
		"a\n  longestword\n  b\n", "a word that is too long stays whole");
	tap_str(wrapped(buf, sizeof(buf), 4, 4, 16, "ip link set lo up, or not", 17),
		"ip link set lo up,\n    or not\n", "and so does a command");
	tap_str(wrapped(buf, sizeof(buf), 4, 4, 0, "a text of some words", 0), "a text of some words\n",
		"elsewhere than on a terminal it is one line");
	tap_str(wrapped(buf, sizeof(buf), 4, 4, 10, "", 0), "\n", "nothing is a line");
}

/* The widest of what the last line of a report is made of */
static void test_widths(void)
{
	char buf[REPORT_SIZE > REPORT_NUMBER ? REPORT_SIZE : REPORT_NUMBER];
	unsigned int long_sizes = 0, long_numbers = 0;

	for (uint64_t n = 1; n < 1ULL << 42; n += n / 97 + 1)
		long_sizes += strlen(report_size(n, buf)) > (n < 1024 ? 10 : 7);
	tap_eq(long_sizes, 0, "sizes up to 4 TB take 7 columns");
	for (double v = 0.001; v < 10000; v *= 1.003)
		long_numbers += strlen(report_number(v, buf)) > 4;
	tap_eq(long_numbers, 0, "figures below 10000 take 4");
	tap_str(report_number(0.987654, buf), "0.99", "below ten with hundredths");
	tap_str(report_number(12.345, buf), "12.3", "below a hundred with tenths");
	tap_str(report_percent(100.0, buf), "100", "all");
	tap_str(report_percent(99.999, buf), "99.9", "nearly all");
	tap_str(report_percent(0.0, buf), "0.0", "nothing");
}

static void number_label(char *buf, size_t size, unsigned int i, uint64_t unit)
{
	snprintf(buf, size, "%" PRIu64, i * unit);
}

static size_t longest_line(const char *text)
{
	size_t longest = 0;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		size_t len = strcspn(text, "\n");

		longest = len > longest ? len : longest;
	}
	return longest;
}

static void test_histograms(void)
{
	static const uint64_t none[4], three[4] = { 1, 0, 2, 1 };
	struct cpu_places softirq = { { 0 } }, app = { { 0 } };
	struct cpu_irq irq = { .number = 33, .name = "eth0-TxRx-3", .cpus = "1" };
	char talk[2048] = "", text[512] = "";
	FILE *t = fmemopen(talk, sizeof(talk), "w"), *f = fmemopen(text, sizeof(text), "w");
	struct report r = { .prog = "prog", .talk = t, .json = { .out = f } };
	struct report quiet = { .prog = "prog", .talk = t };
	const struct cpu_places nowhere = { { 0 } };
	uint64_t many[40];

	report_shares(&r, "none", none, 4, number_label, 1);
	report_shares(&r, "three", three, 4, number_label, 100);
	cpu_seen(&softirq, 0);
	cpu_seen(&softirq, -1);
	cpu_seen(&softirq, CPU_PLACES);
	for (unsigned int i = 0; i < 3; i++)
		cpu_seen(&app, i ? 7 : 2);
	report_event(&r, "end");
	report_places(&r, "cpu", &softirq, &app, &irq);
	report_event_end(&r);
	fflush(t);
	tap_str(talk, "  three     0: 25.0% 200: 50.0% 300: 25.0%\n"
		"  cpu       softirq on 0 / program on 2 (33%) 7 (67%)\n"
		"            / irq 33 (eth0-TxRx-3) on 1\n",
		"shares and places for people, nothing of nothing");
	fclose(f);
	tap_str(text, "{\"event\":\"end\",\"data\":{\"softirq_cpus\":{\"0\":1},"
		"\"program_cpus\":{\"2\":1,\"7\":2},"
		"\"interrupt\":{\"number\":33,\"name\":\"eth0-TxRx-3\",\"cpus\":\"1\"}}}\n",
		"places in JSON");
	rewind(t);
	memset(talk, 0, sizeof(talk));
	report_places(&quiet, "cpu", &nowhere, &nowhere, &irq);
	fflush(t);
	tap_str(talk, "  cpu       irq 33 (eth0-TxRx-3) on 1\n", "nothing has happened: the interrupt alone");
	for (unsigned int i = 0; i < 40; i++)
		many[i] = i;
	report_shares(&r, "many", many, 40, number_label, 1000000);
	fclose(t);
	tap_ok(longest_line(talk) <= 80, "a long histogram keeps to 80 columns");
	cpu_queue_irq(&irq, "no-such-interface", 0);
	tap_ok(irq.number < 0, "the interrupt of no interface");
}

int main(void)
{
	test_json();
	test_json_text();
	test_sizes();
	test_explain();
	test_table();
	test_document();
	test_long_values();
	test_events();
	test_wrap();
	test_widths();
	test_histograms();
	return tap_done();
}
