// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "wrap.h"

/**
 * report_event() - start a JSON line, if there is to be one
 * @r: the report
 * @name: name of the event
 *
 * Return: true when members are to follow, and report_event_end().
 */
bool report_event(struct report *r, const char *name)
{
	struct json *j = &r->json;

	if (!j->out)
		return false;
	/* a line is one thread's until it is whole */
	flockfile(j->out);
	json_open(j, NULL);
	json_str(j, "event", name);
	json_open(j, "data");
	return true;
}

/**
 * report_event_end() - end the line
 * @r: the report
 */
void report_event_end(struct report *r)
{
	json_close(&r->json);
	json_close(&r->json);
	funlockfile(r->json.out);
}

/**
 * report_queues() - the member of a JSON line that lists queues
 * @r: the report, in a JSON line
 * @queues: the list
 */
void report_queues(struct report *r, const struct queue_list *queues)
{
	uint64_t numbers[QUEUES_MAX];

	for (uint32_t i = 0; i < queues->n; i++)
		numbers[i] = queues->at[i];
	json_u64s(&r->json, "queues", numbers, queues->n);
}

/**
 * report_diag_members() - members of a JSON line that tell a diagnostic
 * @r: the report, in a JSON line
 * @text: the diagnostic
 */
void report_diag_members(struct report *r, const struct diag_text *text)
{
	json_str(&r->json, "code", text->code);
	json_str(&r->json, "name", text->name);
	if (text->what[0])
		json_str(&r->json, "what", text->what);
	json_str(&r->json, "cause", text->cause);
	if (text->fix[0])
		json_str(&r->json, "fix", text->fix);
	if (text->command[0])
		json_str(&r->json, "command", text->command);
	if (text->reason[0])
		json_str(&r->json, "kernel", text->reason);
}

/**
 * report_diag() - say what is wrong
 * @r: the report
 * @env: as for diag_explain()
 * @text: the diagnostic
 * @fatal: an error, else a warning
 */
void report_diag(struct report *r, const struct diag_env *env, const struct diag_text *text,
		 bool fatal)
{
	flockfile(r->talk);
	diag_print(env, text, r->talk, r->width);
	funlockfile(r->talk);
	if (!report_event(r, fatal ? "error" : "warning"))
		return;
	report_diag_members(r, text);
	report_event_end(r);
}

/**
 * report_refusal() - find out why something was refused, and say it as an error
 * @r: the report
 * @env: circumstances
 *
 * Return: the code of the diagnostic.
 */
const char *report_refusal(struct report *r, struct diag_env *env)
{
	struct diag_text text;

	diag_explain(env, &text);
	report_diag(r, env, &text, true);
	return text.code;
}

/**
 * report_gbit() - throughput
 * @bytes: how much
 * @ns: in how long
 *
 * Return: 10^9 bits a second, 0 for no time.
 */
double report_gbit(uint64_t bytes, uint64_t ns)
{
	return ns ? (double)bytes * 8 / (double)ns : 0.0;
}

/**
 * report_number() - a figure with three digits that matter, or all before the point
 * @value: the figure
 * @buf: REPORT_NUMBER bytes
 *
 * Return: @buf: "0.07", "9.99", "10.2", "123", "4567".
 */
const char *report_number(double value, char *buf)
{
	int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(buf, REPORT_NUMBER, "%.*f", digits, value);
	return buf;
}

/**
 * report_percent() - a share with the tenths that it has
 * @value: percent
 * @buf: REPORT_NUMBER bytes
 *
 * Return: @buf: "100", "99.9", "0.0".
 */
const char *report_percent(double value, char *buf)
{
	/* nearly all is not all */
	snprintf(buf, REPORT_NUMBER, "%.*f", value < 100.0, value < 100.0 && value > 99.9 ? 99.9 : value);
	return buf;
}

/**
 * report_size() - bytes for people, in binary units
 * @bytes: how many
 * @buf: REPORT_SIZE bytes
 *
 * Return: @buf: "1024 MB", "12.5 MB", "512 KB", "7 bytes"; seven columns up to some TB.
 */
const char *report_size(uint64_t bytes, char *buf)
{
	const uint64_t mb = 1 << 20, gb = 1 << 30;

	if (bytes < 1024)
		snprintf(buf, REPORT_SIZE, "%u bytes", (unsigned int)bytes);
	else if (bytes < mb)
		snprintf(buf, REPORT_SIZE, "%.*f KB", bytes % 1024 && bytes < 100 << 10,
			 (double)bytes / 1024);
	else if (bytes < 9999 * mb + mb / 2)
		snprintf(buf, REPORT_SIZE, "%.*f MB", bytes % mb && bytes < 100 * mb,
			 (double)bytes / (double)mb);
	else
		snprintf(buf, REPORT_SIZE, "%.*f GB", bytes % gb && bytes < 100 * gb,
			 (double)bytes / (double)gb);
	return buf;
}

/**
 * report_rate() - members of a line that say how much and how fast
 * @r: the report, in a JSON line
 * @bytes: how much
 * @ns: in how long
 */
void report_rate(struct report *r, uint64_t bytes, uint64_t ns)
{
	json_u64(&r->json, "bytes", bytes);
	json_double(&r->json, "seconds", (double)ns / 1e9);
	json_double(&r->json, "bits_per_second", report_gbit(bytes, ns) * 1e9);
}

/**
 * report_cpu() - processor time: lines for people, and members of a JSON line
 * @r: the report; in a JSON line if there are any
 * @used: processor time
 * @bytes: what it was used for
 */
void report_cpu(struct report *r, const struct cpu_sample *used, uint64_t bytes)
{
	double process = cpu_us_per_mb(cpu_process_us(used), bytes);
	double machine = cpu_us_per_mb(cpu_machine_us(used), bytes);

	fprintf(r->talk, "  cpu usage user:%.2f sys:%.2f s, %.1f usec per MB, %llu c-switches\n",
		(double)used->user_us / 1e6, (double)used->sys_us / 1e6, process,
		(unsigned long long)used->switches);
	fprintf(r->talk, "  machine   user:%.2f sys:%.2f irq:%.2f s, %.1f usec per MB\n",
		(double)used->all_user_us / 1e6, (double)used->all_sys_us / 1e6,
		(double)used->all_irq_us / 1e6, machine);
	if (!r->json.out)
		return;
	json_u64(&r->json, "cpu_user_us", used->user_us);
	json_u64(&r->json, "cpu_sys_us", used->sys_us);
	json_double(&r->json, "cpu_us_per_mb", process);
	json_u64(&r->json, "context_switches", used->switches);
	json_u64(&r->json, "machine_user_us", used->all_user_us);
	json_u64(&r->json, "machine_sys_us", used->all_sys_us);
	json_u64(&r->json, "machine_irq_us", used->all_irq_us);
	json_double(&r->json, "machine_us_per_mb", machine);
}

#define INDENT		12
#define WORD		48

/**
 * report_line() - begin a line for people
 * @r: the report
 * @title: its title; short
 *
 * Return: the column that it has come to, for report_word().
 */
unsigned int report_line(struct report *r, const char *title)
{
	fprintf(r->talk, "  %-*s", INDENT - 2, title);
	return INDENT;
}

/**
 * report_word() - add a word to a line, or to another one where it has no room
 * @r: the report
 * @column: that the line has come to
 * @word: the word
 *
 * Return: the column that it has come to now.
 */
unsigned int report_word(struct report *r, unsigned int column, const char *word)
{
	FILE *out = r->talk;
	unsigned int len = (unsigned int)strlen(word);

	if (column > INDENT && column + 1 + len > WRAP_WIDTH) {
		fprintf(out, "\n%*s", INDENT, "");
		column = INDENT;
	} else if (column > INDENT) {
		fputc(' ', out);
		column++;
	}
	fputs(word, out);
	return column + len;
}

/**
 * report_list() - a line for people, broken at blanks
 * @r: the report
 * @title: its title; short
 * @text: what it says
 */
void report_list(struct report *r, const char *title, const char *text)
{
	wrap_text(r->talk, report_line(r, title), INDENT, WRAP_WIDTH, text, 0);
}

/**
 * report_say() - a sentence of the program
 * @r: the report
 * @format: as for printf(), without the program's name and the end of the line
 */
void report_say(struct report *r, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	flockfile(r->talk);
	fprintf(r->talk, "%s: ", r->prog);
	wrap_text(r->talk, (unsigned int)strlen(r->prog) + 2, 2, r->width, text, 0);
	funlockfile(r->talk);
}

/**
 * report_is_lost() - at the end: were there JSON lines that could not be written?
 * @r: the report; says why
 *
 * Return: true if so. A reader of them who has had enough is no reason.
 */
bool report_is_lost(struct report *r)
{
	int err = r->json.err;

	if (!err || err == -EPIPE)
		return false;
	report_say(r, "cannot write JSON lines: %s", strerror(-err));
	return true;
}

/**
 * report_shares() - a histogram as a line for people
 * @r: the report
 * @title: of what; short
 * @counts: the histogram
 * @n: slots in it; those with nothing in them are left out
 * @label: writes what a slot holds
 * @unit: last argument of @label
 */
void report_shares(struct report *r, const char *title, const uint64_t *counts, unsigned int n,
		   void (*label)(char *buf, size_t size, unsigned int i, uint64_t unit),
		   uint64_t unit)
{
	unsigned int column = INDENT;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += counts[i];
	if (!sum)
		return;
	report_line(r, title);
	for (unsigned int i = 0; i < n; i++) {
		char what[WORD], word[WORD + 16];

		if (!counts[i])
			continue;
		label(what, sizeof(what), i, unit);
		snprintf(word, sizeof(word), "%s: %.1f%%", what,
			 100.0 * (double)counts[i] / (double)sum);
		column = report_word(r, column, word);
	}
	fputc('\n', r->talk);
}

static unsigned int put_places(struct report *r, unsigned int column, const char *title,
			       const struct cpu_places *p)
{
	uint64_t sum = 0;
	char word[WORD];

	for (unsigned int i = 0; i < CPU_PLACES; i++)
		sum += p->seen[i];
	if (!sum)
		return column;
	column = report_word(r, column, title);
	for (unsigned int i = 0; i < CPU_PLACES; i++) {
		if (!p->seen[i])
			continue;
		if (p->seen[i] == sum)
			snprintf(word, sizeof(word), "%u", i);
		else
			snprintf(word, sizeof(word), "%u (%.0f%%)", i,
				 100.0 * p->seen[i] / (double)sum);
		column = report_word(r, column, word);
	}
	return column;
}

static void json_places(struct json *j, const char *key, const struct cpu_places *p)
{
	json_open(j, key);
	for (unsigned int i = 0; i < CPU_PLACES; i++) {
		char cpu[16];

		if (!p->seen[i])
			continue;
		snprintf(cpu, sizeof(cpu), "%u", i);
		json_u64(j, cpu, p->seen[i]);
	}
	json_close(j);
}

/**
 * report_places() - where work was done: a line for people, and members of a JSON line
 * @r: the report; in a JSON line if there are any
 * @title: of the line
 * @softirq: samples of where the stack handled packets
 * @app: of where the program ran
 * @irq: interrupt of the queue
 */
void report_places(struct report *r, const char *title, const struct cpu_places *softirq,
		   const struct cpu_places *app, const struct cpu_irq *irq)
{
	unsigned int column = report_line(r, title);
	char word[2 * WORD + 32];

	column = put_places(r, column, "softirq on", softirq);
	column = put_places(r, column, column > INDENT ? "/ program on" : "program on", app);
	if (irq->number >= 0) {
		snprintf(word, sizeof(word), "%sirq %d (%s)%s%s", column > INDENT ? "/ " : "",
			 irq->number, irq->name, irq->cpus[0] ? " on " : "", irq->cpus);
		report_word(r, column, word);
	}
	fputc('\n', r->talk);
	if (!r->json.out)
		return;
	json_places(&r->json, "softirq_cpus", softirq);
	json_places(&r->json, "program_cpus", app);
	if (irq->number < 0)
		return;
	json_open(&r->json, "interrupt");
	json_u64(&r->json, "number", (uint64_t)irq->number);
	json_str(&r->json, "name", irq->name);
	json_str(&r->json, "cpus", irq->cpus);
	json_close(&r->json);
}
