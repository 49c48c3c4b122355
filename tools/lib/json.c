// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/*
 * Bytes of the character that @s begins with, as Unicode defines UTF-8: in the shortest form, no
 * surrogate, nothing beyond U+10FFFF. 0 if it begins with none.
 */
static size_t utf8_length(const unsigned char *s)
{
	static const struct {
		unsigned char from, to, second_from, second_to;
		size_t length;
	} forms[] = {
		{ 0x01, 0x7f, 0x00, 0xff, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t n;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (*s < forms[i].from || *s > forms[i].to)
			continue;
		if (forms[i].length > 1 && (s[1] < forms[i].second_from || s[1] > forms[i].second_to))
			return 0;
		for (n = 2; n < forms[i].length; n++)
			if (s[n] < 0x80 || s[n] > 0xbf)
				return 0;
		return forms[i].length;
	}
	return 0;
}

/* The name of a file is any bytes; those that are no text become U+FFFD, one each */
static void put_string(FILE *out, const char *s)
{
	static const char short_form[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',
					   ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"',
					   ['\\'] = '\\' };

	fputc('"', out);
	for (size_t n; *s; s += n ? n : 1) {
		unsigned char c = (unsigned char)*s;

		n = utf8_length((const unsigned char *)s);
		if (!n)
			fputs("\\ufffd", out);
		else if (c < sizeof(short_form) && short_form[c])
			fprintf(out, "\\%c", short_form[c]);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fwrite(s, 1, n, out);
	}
	fputc('"', out);
}

static void put_key(struct json *j, const char *key)
{
	if (j->comma)
		fputc(',', j->line);
	j->comma = true;
	if (!key)
		return;
	put_string(j->line, key);
	fputc(':', j->line);
}

/* Without memory for it the line goes where it belongs at once */
static void begin_line(struct json *j)
{
	j->line = open_memstream(&j->text, &j->len);
	if (!j->line)
		j->line = j->out;
}

static void end_line(struct json *j)
{
	bool written = fputc('\n', j->line) != EOF;

	if (j->line != j->out) {
		written = !fclose(j->line) && fwrite(j->text, 1, j->len, j->out) == j->len;
		free(j->text);
	}
	j->line = NULL;
	if ((fflush(j->out) || !written) && !j->err)
		j->err = -errno;
}

/**
 * json_open() - start an object
 * @j: the writer
 * @key: its name; NULL for a line's own object, or an element of a list
 */
void json_open(struct json *j, const char *key)
{
	if (!j->depth)
		begin_line(j);
	put_key(j, key);
	fputc('{', j->line);
	j->comma = false;
	j->depth++;
}

/**
 * json_close() - end the innermost object
 * @j: the writer
 *
 * The end of the outermost one ends the line and writes it out.
 */
void json_close(struct json *j)
{
	fputc('}', j->line);
	j->comma = true;
	if (--j->depth)
		return;
	j->comma = false;
	end_line(j);
}

/**
 * json_list() - start a list
 * @j: the writer
 * @key: its name
 *
 * Elements that are objects are made with json_open() and no name.
 */
void json_list(struct json *j, const char *key)
{
	put_key(j, key);
	fputc('[', j->line);
	j->comma = false;
	j->depth++;
}

/**
 * json_list_end() - end the list, which is in an object
 * @j: the writer
 */
void json_list_end(struct json *j)
{
	fputc(']', j->line);
	j->comma = true;
	j->depth--;
}

/** json_u64() - a member that is an unsigned number */
void json_u64(struct json *j, const char *key, uint64_t value)
{
	put_key(j, key);
	fprintf(j->line, "%" PRIu64, value);
}

/** json_i64() - a member that is a signed number */
void json_i64(struct json *j, const char *key, int64_t value)
{
	put_key(j, key);
	fprintf(j->line, "%" PRId64, value);
}

/** json_double() - a member that is a real number; null if it is not finite */
void json_double(struct json *j, const char *key, double value)
{
	put_key(j, key);
	if (isfinite(value))
		fprintf(j->line, "%.6f", value);
	else
		fputs("null", j->line);
}

/** json_bool() - a member that is true or false */
void json_bool(struct json *j, const char *key, bool value)
{
	put_key(j, key);
	fputs(value ? "true" : "false", j->line);
}

/** json_str() - a member that is text; null for NULL */
void json_str(struct json *j, const char *key, const char *value)
{
	put_key(j, key);
	if (value)
		put_string(j->line, value);
	else
		fputs("null", j->line);
}

/** json_u64s() - a member that is an array of @n unsigned numbers */
void json_u64s(struct json *j, const char *key, const uint64_t *values, unsigned int n)
{
	put_key(j, key);
	fputc('[', j->line);
	for (unsigned int i = 0; i < n; i++)
		fprintf(j->line, "%s%" PRIu64, i ? "," : "", values[i]);
	fputc(']', j->line);
}
