// SPDX-License-Identifier: GPL-2.0-or-later
#include "wrap.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Below that a text of some words is better broken by the terminal */
#define NARROWEST	40

/**
 * wrap_terminal() - how wide is the terminal that lines go to?
 * @out: where they go
 *
 * Who looks for something in a file or a pipe finds it in one line; who reads it on a terminal has no
 * words broken.
 *
 * Return: columns, 0 when it is no terminal, or so narrow that nothing can be done about it.
 */
unsigned int wrap_terminal(FILE *out)
{
	struct winsize size = { 0 };

	if (!isatty(fileno(out)))
		return 0;
	if (ioctl(fileno(out), TIOCGWINSZ, &size) || !size.ws_col)
		return WRAP_WIDTH;
	return size.ws_col < NARROWEST ? 0 : size.ws_col;
}

/* Bytes of the text for a line that has room for so many: up to a blank, or one word that is longer */
static size_t take(const char *text, size_t whole, size_t room)
{
	size_t n = room;

	if (strlen(text) <= room)
		return strlen(text);
	while (n > whole && text[n] != ' ')
		n--;
	return n > whole && n ? n : whole + strcspn(text + whole, " ");
}

/**
 * wrap_text() - a text, broken at blanks, and the end of its last line
 * @out: where to
 * @column: that the first line has come to
 * @indent: of the other lines
 * @width: that no line exceeds if its words allow that; 0: all is one line
 * @text: the text
 * @whole: bytes at its beginning that stay in one line, such as a command that is to be copied
 */
void wrap_text(FILE *out, unsigned int column, unsigned int indent, unsigned int width,
	       const char *text, size_t whole)
{
	size_t n;

	if (!width) {
		fprintf(out, "%s\n", text);
		return;
	}
	for (;;) {
		n = take(text, whole, column < width ? width - column : 0);
		fprintf(out, "%.*s\n", (int)n, text);
		text += n + (text[n] == ' ');
		if (!*text)
			return;
		fprintf(out, "%*s", (int)indent, "");
		column = indent;
		whole = 0;
	}
}
