/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tools say: lines for people on stderr, JSON lines for programs.
 *
 * A JSON line is {"event":NAME,"data":{...}}; NAME is start, interval, connection, explain,
 * check, warning, error or end; report.schema.json of each program describes them. Names
 * carry base units: bytes, seconds, bits_per_second.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu.h"
#include "diag.h"
#include "json.h"
#include "queues.h"

#define REPORT_SCHEMA	1
#define REPORT_SIZE	24
#define REPORT_NUMBER	32

/**
 * struct report - where it goes
 * @prog: program name, in front of lines that are no figures
 * @talk: lines for people
 * @width: of the terminal that @talk is, at which words are broken; 0: nowhere
 * @json: JSON lines; its @out is NULL when nobody wants them
 */
struct report {
	const char *prog;
	FILE *talk;
	unsigned int width;
	struct json json;
};

bool report_event(struct report *r, const char *name);
void report_event_end(struct report *r);
void report_diag(struct report *r, const struct diag_env *env, const struct diag_text *text,
		 bool fatal);
void report_queues(struct report *r, const struct queue_list *queues);
void report_diag_members(struct report *r, const struct diag_text *text);
const char *report_refusal(struct report *r, struct diag_env *env);
void report_rate(struct report *r, uint64_t bytes, uint64_t ns);
void report_cpu(struct report *r, const struct cpu_sample *used, uint64_t bytes);
void report_shares(struct report *r, const char *title, const uint64_t *counts, unsigned int n,
		   void (*label)(char *buf, size_t size, unsigned int i, uint64_t unit),
		   uint64_t unit);
void report_places(struct report *r, const char *title, const struct cpu_places *softirq,
		   const struct cpu_places *app, const struct cpu_irq *irq);
unsigned int report_line(struct report *r, const char *title);
unsigned int report_word(struct report *r, unsigned int column, const char *word);
void report_say(struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool report_is_lost(struct report *r);
void report_list(struct report *r, const char *title, const char *text);
const char *report_percent(double value, char *buf);
const char *report_number(double value, char *buf);
const char *report_size(uint64_t bytes, char *buf);
double report_gbit(uint64_t bytes, uint64_t ns);

#endif
