/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of text that keep to the width of a terminal. */
#ifndef WRAP_H
#define WRAP_H

#include <stddef.h>
#include <stdio.h>

/* What everything fits in that does not ask how wide it is */
#define WRAP_WIDTH	80

unsigned int wrap_terminal(FILE *out);
void wrap_text(FILE *out, unsigned int column, unsigned int indent, unsigned int width,
	       const char *text, size_t whole);

#endif
