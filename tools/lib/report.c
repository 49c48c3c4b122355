// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

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
	diag_print(env, text, r->talk);
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
 * report_size() - bytes for people, in binary units
 * @bytes: how many
 * @buf: REPORT_SIZE bytes
 *
 * Return: @buf: "1024 MB", "12.5 MB", "512 KB", "7 bytes".
 */
const char *report_size(uint64_t bytes, char *buf)
{
	if (bytes < 1024)
		snprintf(buf, REPORT_SIZE, "%u bytes", (unsigned int)bytes);
	else if (bytes < 1 << 20)
		snprintf(buf, REPORT_SIZE, "%.*f KB", bytes % 1024 ? 1 : 0, (double)bytes / 1024);
	else
		snprintf(buf, REPORT_SIZE, "%.*f MB", bytes % (1 << 20) && bytes < 100 << 20,
			 (double)bytes / (1 << 20));
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
